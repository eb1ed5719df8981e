import type { BuildRow } from "@keyloan/store";
import { bySystem, type Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { tryEach } from "../../each.ts";
import { endLeases } from "../leases/end-leases.ts";
import { isLendingOver, revertWindowMs } from "./lending-end.ts";

const pageMax = 100;

/**
 * Ends what was lent to every build whose user has own keys for all of it and whose time to go back is over: the leases
 * with their data, and the build's tokens. The user's own stay until the build closes.
 * @returns how many builds this call ended it for
 */
export async function endDueLendings(deps: Deps, signal: AbortSignal): Promise<number> {
  const windowMs = revertWindowMs(deps.config);
  let ended = 0;
  const failed = new Map<string, unknown>();
  for (;;) {
    const due = await deps.store.read.builds.listLendingOver(deps.now(), windowMs, pageMax + failed.size);
    const endedBefore = ended;
    const endOne = async (id: string) => {
      if (!failed.has(id) && (await endLending(deps, id))) ended++;
    };
    for (const { item, error } of await tryEach(due, endOne, signal)) failed.set(item, error);
    // Another broker took all of this page, or there was none.
    if (ended > endedBefore && !signal.aborted) continue;
    for (const error of failed.values()) throw error;
    return ended;
  }
}

async function endLending(deps: Deps, buildId: string): Promise<boolean> {
  const done = await deps.change(bySystem("lending"), [buildId], async (tx) => {
    const build = await tx.builds.find(buildId);
    const bindings = await tx.bindings.listByBuild(buildId);
    const now = deps.now();
    if (build === undefined || !isLendingOver(deps.config, build, bindings, now)) return false;
    if (!(await tx.builds.endLending(buildId, now))) return false;
    await endEverythingLent(deps, tx, build);
    return true;
  });
  if (done) deps.metrics.lendingsEnded.inc();
  return done;
}

/** Says it once more where it is proven: from now on the user's values are for nobody else, whatever the build says. */
export async function keepFromPreview(tx: Unit, buildId: string): Promise<void> {
  const connectors = (await tx.bindings.listByBuild(buildId)).map(({ connectorId }) => connectorId);
  await tx.bindings.setPreview(buildId, connectors, false);
}

async function endEverythingLent(deps: Deps, tx: Unit, build: BuildRow): Promise<void> {
  const { id, downloadedAt, finishedAt } = build;
  const leases = await tx.leases.listByBuild(id);
  // One of many: it waits for nobody, and whoever has room ends it at its provider.
  const ended = await endLeases(deps, tx, leases, { isOneOfMany: true, mayStillRun: true });
  for (const { id: transferId, state } of await tx.transfers.listByBuild(id)) {
    if (state !== "switched") continue;
    await tx.jobs.cancelByEntity(transferId, "end-transfer");
    await tx.transfers.update(transferId, ["switched"], { frozenAt: null });
  }
  await tx.tokens.revokeByBuild(id, deps.now());
  await keepFromPreview(tx, id);
  const details = {
    connectors: ended.map(({ connectorId }) => connectorId),
    downloaded: downloadedAt !== null,
    finished: finishedAt !== null,
  };
  tx.audit("lending.ended", id, details);
  const message = `Everything lent to ${id} ends now: its user has their own keys for all of it, and the time to go back is over.`;
  tx.notice({ type: "lending.ended", message, buildId: id });
}
