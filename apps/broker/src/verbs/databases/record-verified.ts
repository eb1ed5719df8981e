import { countRows, type ProvenArchive } from "@keyloan/database-provisioner";
import type { ArchiveRow, LeaseRow } from "@keyloan/store";
import { byJob } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import type { JobHold } from "../../jobs/runner.ts";
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
  await deps.change(byJob(job), [buildId], async (tx) => {
    if (!(await tx.jobs.finish(job.id, job.fence, "done", undefined, verifiedAt))) throw movedOn();
    if (await isBeingMoved(tx, lease)) throw movedOn();
    if (await isKeptForUser(deps, tx, lease)) throw movedOn();
    const verified = { state: "verified", bytes, sha256, summary, verifiedAt, lastError: null } as const;
    const archived = { state: "archived", env: null, lastError: null } as const;
    if (!(await tx.archives.update(archive.id, ["writing"], verified))) throw movedOn();
    if (!(await tx.leases.update(lease.id, ["active"], archived))) throw movedOn();
    tx.job({ kind: "drop-archived", entityId: archive.id, buildId, connectorId });
    const rows = countRows(summary);
    const details = { connector: connectorId, lease: lease.id, archive: archive.id, bytes, rows, sha256 };
    tx.audit("database.archived", buildId, details);
  });
}
