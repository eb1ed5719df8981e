import type { ArchiveRow, ClaimedJob, LeaseRow, Tables } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { newWaitingJob } from "../../jobs/new-job.ts";
import type { JobHold } from "../../jobs/runner.ts";
import { auditRow } from "../audit.ts";
import { clearAttempt } from "./end-attempt.ts";
import { tryAgain } from "./try-again.ts";

/** Removes the file of an archive that nobody needs any more, and what may be left of its scratch database. */
export async function removeArchive(deps: Deps, { job, signal }: JobHold): Promise<void> {
  const { store, now } = deps;
  const { id, fence } = job;
  const archive = await store.read.archives.find(job.entityId);
  const lease = archive === undefined ? undefined : await store.read.leases.find(archive.leaseId);
  try {
    if (archive !== undefined && lease !== undefined) await clearAttempt(deps, lease, archive, signal);
    await store.write(async (tables) => {
      if (!(await tables.jobs.finish(id, fence, "done", undefined, now())) || archive === undefined) return;
      const { state } = archive;
      await tables.archives.update(archive.id, [state], { scratchHandle: null });
      const { buildId, connectorId } = archive;
      const details = { connector: connectorId, archive: archive.id, state };
      const actor = { kind: "job", jobId: id } as const;
      await tables.auditEvents.insertAll([
        auditRow(deps, { actor, action: "archive.removed", entity: buildId, details }),
      ]);
    });
  } catch (error) {
    await tryAgain(deps, job, "An archive that nobody needs any more cannot be removed yet", error);
  }
}

/** The job that removes an archive's file. Insert it in the transaction after which nobody needs the file. */
export function removalJob(
  deps: Pick<Deps, "now" | "randomBytes">,
  { id: entityId, buildId, connectorId }: ArchiveRow,
): ClaimedJob {
  return newWaitingJob(deps, { kind: "remove-archive", entityId, buildId, connectorId }, deps.now());
}

/** Lets the archives of leases that end go with them, in the caller's transaction. */
export async function endArchives(
  deps: Pick<Deps, "now" | "randomBytes">,
  tables: Tables,
  leases: readonly LeaseRow[],
): Promise<void> {
  for (const lease of leases) {
    if (lease.state !== "archived") continue;
    for (const archive of await tables.archives.listByLease(lease.id)) {
      if (!(await tables.archives.update(archive.id, ["verified"], { state: "removed" }))) continue;
      await tables.jobs.insertAll([removalJob(deps, archive)]);
    }
  }
}
