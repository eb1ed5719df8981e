import type { Deps } from "../../deps.ts";
import { defineJob, type JobHold } from "../../queue/define-job.ts";
import { done, type Outcome } from "../../queue/outcome.ts";
import { movableOf } from "./movable.ts";
import { openTarget } from "./transfer-ends.ts";
import { untilDone } from "./transfer-jobs.ts";

/**
 * Lets nothing in a user's database say any more that it is ours, once they have switched to it: by no copy of this
 * store, however old, can it be taken back from then on. Nothing else waits for it, and it is tried as long as there
 * are keys.
 */
export const endNotesJob = defineJob({
  run: endNotes,
  deadlineSeconds: 60,
  retry: untilDone,
  giveUp: "fail",
});

async function endNotes(deps: Deps, { job, signal }: JobHold): Promise<Outcome> {
  const row = await deps.store.read.transfers.find(job.entityId);
  const connector = row === undefined ? undefined : deps.connectors.get(row.connectorId);
  const movable = connector === undefined ? undefined : movableOf(connector);
  if (row?.progress?.noted !== true || connector === undefined || movable?.kind !== "database") return done();
  const to = await openTarget(deps, row, connector, signal);
  if (to !== undefined) await movable.content.settle(to.context, to.values, row.id);
  return done(async (tx) => {
    const newest = await tx.transfers.find(row.id);
    if (newest?.progress?.noted !== true) return;
    const { noted: _, ...progress } = newest.progress;
    await tx.transfers.update(row.id, [newest.state], { progress });
  });
}
