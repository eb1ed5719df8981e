import type { ArchiveRow, LeaseRow } from "@keyloan/store";
import { bySystem, type Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { defineJob, type JobHold } from "../../queue/define-job.ts";
import { done, type Outcome } from "../../queue/outcome.ts";
import { untilItEnds } from "./database-job.ts";
import { clearAttempt } from "./end-attempt.ts";

/** Files that are younger may be those of work that has just ended. */
const settledMs = 3_600_000;

/** Removes the file of an archive that nobody needs any more, and what may be left of its scratch database. */
export const removeArchiveJob = defineJob({
  run: removeArchive,
  deadlineSeconds: 300,
  ...untilItEnds("has an archive that is no longer needed and that cannot be removed yet"),
});

async function removeArchive(deps: Deps, { job, signal }: JobHold): Promise<Outcome> {
  const { archives, leases } = deps.store.read;
  const archive = await archives.find(job.entityId);
  const lease = archive === undefined ? undefined : await leases.find(archive.leaseId);
  if (archive === undefined) return done();
  if (lease !== undefined) await clearAttempt(deps, lease, archive, signal);
  return done(async (tx) => {
    const { id, state, buildId, connectorId } = archive;
    await tx.archives.update(id, [state], { scratchHandle: null });
    tx.audit("archive.removed", buildId, { connector: connectorId, archive: id, state });
  });
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

/**
 * Removes what is in the store of archives though nobody needs it: files of archives that failed, were restored or
 * were removed. What no row knows is left alone, for it may be another broker's.
 */
export async function sweepArchives(deps: Deps, signal: AbortSignal): Promise<void> {
  const { archives, endings } = deps.store.read;
  for await (const name of deps.archives.list(signal)) {
    const archive = await archives.find(name);
    if (archive === undefined || archive.state === "writing" || archive.state === "verified") continue;
    if (deps.now() - archive.createdAt < settledMs) continue;
    if ((await endings.openJobsOf([archive.id])).length > 0) continue;
    await deps.change(bySystem("archives"), [archive.id], async (tx) => addRemoval(deps, tx, archive));
  }
}
