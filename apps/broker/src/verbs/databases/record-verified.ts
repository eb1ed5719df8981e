import { countRows, type ProvenArchive } from "@keyloan/database-provisioner";
import type { ArchiveRow, LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { newHeldJob } from "../../jobs/new-job.ts";
import type { JobHold } from "../../jobs/runner.ts";
import { auditRow } from "../audit.ts";
import { isKeptForUser } from "../lending/is-kept-for-user.ts";
import { movedOn } from "./moved-on.ts";
import { isBeingMoved } from "./request-archive.ts";

/**
 * Records that an archive may be relied on, shreds the values of its lease, and begins to end the database.
 * @throws MovedOn, with nothing written, when the lease or the job is not as it was
 */
export async function recordVerified(
  deps: Deps,
  hold: JobHold,
  lease: LeaseRow,
  archive: ArchiveRow,
  { bytes, sha256, summary }: ProvenArchive,
): Promise<void> {
  const { job } = hold;
  const { buildId, connectorId } = lease;
  const verifiedAt = deps.now();
  const drop = newHeldJob(deps, { kind: "drop-archived", entityId: archive.id, buildId, connectorId });
  await deps.store.write(async (tables) => {
    if (!(await tables.jobs.finish(job.id, job.fence, "done", undefined, verifiedAt))) throw movedOn();
    if (await isBeingMoved(tables, lease)) throw movedOn();
    if (await isKeptForUser(deps, tables, lease)) throw movedOn();
    const verified = { state: "verified", bytes, sha256, summary, verifiedAt, lastError: null } as const;
    const archived = { state: "archived", env: null, lastError: null } as const;
    if (!(await tables.archives.update(archive.id, ["writing"], verified))) throw movedOn();
    if (!(await tables.leases.update(lease.id, ["active"], archived))) throw movedOn();
    await tables.jobs.insertAll([drop]);
    const rows = countRows(summary);
    const details = { connector: connectorId, lease: lease.id, archive: archive.id, bytes, rows, sha256 };
    const actor = { kind: "job", jobId: job.id } as const;
    await tables.auditEvents.insertAll([
      auditRow(deps, { actor, action: "database.archived", entity: buildId, details }),
    ]);
  });
  void deps.runner.run(buildId, [drop]);
}
