import type { BuildRow, Tables } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { noticeJob } from "../../notify/notice.ts";
import { auditRow } from "../audit.ts";
import { endLeases } from "../leases/end-leases.ts";
import { isLendingOver, revertWindowMs } from "./lending-end.ts";

const pageMax = 100;
const actor = { kind: "system", part: "lending" } as const;

/**
 * Ends what was lent to every build whose user has own keys for all of it and whose time to go back is over: the leases
 * with their data, and the build's tokens. The user's own stay until the build closes.
 * @returns how many builds this call ended it for
 */
export async function endDueLendings(deps: Deps, signal: AbortSignal): Promise<number> {
  const windowMs = revertWindowMs(deps.config);
  let ended = 0;
  for (;;) {
    const due = await deps.store.read.builds.listLendingOver(deps.now(), windowMs, pageMax);
    const endedBefore = ended;
    for (const id of due) {
      if (signal.aborted) return ended;
      if (await endLending(deps, id)) ended++;
    }
    // Another broker took all of this page, or there was none.
    if (ended === endedBefore) return ended;
  }
}

async function endLending(deps: Deps, buildId: string): Promise<boolean> {
  const done = await deps.store.write(async (tables) => {
    const build = await tables.builds.find(buildId);
    const bindings = await tables.bindings.listByBuild(buildId);
    const now = deps.now();
    if (build === undefined || !isLendingOver(deps.config, build, bindings, now)) return false;
    if (!(await tables.builds.endLending(buildId, now))) return false;
    await endEverythingLent(deps, tables, build);
    return true;
  });
  if (done) deps.metrics.lendingsEnded.inc();
  return done;
}

async function endEverythingLent(deps: Deps, tables: Tables, build: BuildRow): Promise<void> {
  const { id, downloadedAt, finishedAt } = build;
  const leases = await tables.leases.listByBuild(id);
  // One of many: it waits for nobody, and whoever has room ends it at its provider.
  const ended = await endLeases(deps, tables, leases, { isOneOfMany: true, mayStillRun: true });
  for (const { id: transferId, state } of await tables.transfers.listByBuild(id)) {
    if (state !== "switched") continue;
    await tables.jobs.cancelByEntity(transferId, "end-transfer");
    await tables.transfers.update(transferId, ["switched"], { frozenAt: null });
  }
  await tables.tokens.revokeByBuild(id, deps.now());
  const details = {
    connectors: ended.leases.map(({ connectorId }) => connectorId),
    downloaded: downloadedAt !== null,
    finished: finishedAt !== null,
  };
  await tables.auditEvents.insertAll([
    auditRow(deps, { actor, action: "lending.ended", entity: id, details }),
  ]);
  const message = `What was lent to ${id} ends now: its user has own keys for everything, and the time to go back is over.`;
  await tables.jobs.insertAll([noticeJob(deps, { type: "lending.ended", message, buildId: id })]);
}
