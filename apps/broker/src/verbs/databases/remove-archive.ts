import type { ArchiveRow, LeaseRow } from "@keyloan/store";
import { byJob, type Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import type { JobHold } from "../../jobs/runner.ts";
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
    await deps.change(byJob(job), [job.entityId], async (tx) => {
      if (!(await tx.jobs.finish(id, fence, "done", undefined, now())) || archive === undefined) return;
      const { state } = archive;
      await tx.archives.update(archive.id, [state], { scratchHandle: null });
      const { buildId, connectorId } = archive;
      const details = { connector: connectorId, archive: archive.id, state };
      tx.audit("archive.removed", buildId, details);
    });
  } catch (error) {
    await tryAgain(deps, job, "An archive that nobody needs any more cannot be removed yet", error);
  }
}

/** Adds the job that removes an archive's file, in the change after which nobody needs the file. */
export function addRemoval(
  { now }: Pick<Deps, "now">,
  tx: Unit,
  { id: entityId, buildId, connectorId }: ArchiveRow,
): void {
  tx.job({ kind: "remove-archive", entityId, buildId, connectorId }, now());
}

/** Lets the archives of leases that end go with them, in the caller's transaction. */
export async function endArchives(
  deps: Pick<Deps, "now">,
  tx: Unit,
  leases: readonly LeaseRow[],
): Promise<void> {
  for (const lease of leases) {
    if (lease.state !== "archived") continue;
    for (const archive of await tx.archives.listByLease(lease.id)) {
      if (await tx.archives.update(archive.id, ["verified"], { state: "removed" }))
        addRemoval(deps, tx, archive);
    }
  }
}
