import type { By } from "../../audit-row.ts";
import { bySystem, type Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { endLeases } from "../leases/end-leases.ts";
import type { ReleaseStart } from "../leases/release-jobs.ts";
import { findBuild } from "./find-build.ts";

const openStates = ["provisioning", "ready", "handing_off", "handed_off"] as const;

type Closing = { readonly reason: "requested" | "expired"; readonly start?: ReleaseStart };

/**
 * Ends a build: at once its tokens die and its data key is shredded, then every lease is ended at its
 * provider. Closing a closed build changes nothing.
 * @returns a promise that ends when every lease was tried
 * @throws BrokerError `not_found`
 */
export async function closeBuild(
  deps: Deps,
  by: By,
  buildId: string,
): Promise<{ readonly settled: Promise<void> }> {
  await findBuild(deps, buildId);
  // What is being issued now may still finish its call under way; it must not begin another.
  deps.runner.cancel(buildId);
  await deps.runner.settled(buildId);
  await deps.change(by, [buildId], async (tx) => {
    if (!(await tx.builds.moveState(buildId, openStates, "closing"))) return tx.unaudited(undefined);
    return endEverything(deps, tx, buildId, { reason: "requested" });
  });
  return { settled: deps.runner.settled(buildId) };
}

/**
 * Closes a build whose time is over, as one of very many: it waits for nobody, and its leases are ended at their
 * providers when a broker has room.
 * @returns false when another broker has closed it, or it was given more time
 */
export async function closeExpired(deps: Deps, buildId: string): Promise<boolean> {
  deps.runner.cancel(buildId);
  const start = { isOneOfMany: true, mayStillRun: true };
  return deps.change(bySystem("expiry"), [buildId], async (tx) => {
    if (!(await tx.builds.closeExpired(buildId, deps.now()))) return false;
    await endEverything(deps, tx, buildId, { reason: "expired", start });
    return true;
  });
}

async function endEverything(
  deps: Deps,
  tx: Unit,
  buildId: string,
  { reason, start = {} }: Closing,
): Promise<void> {
  const now = deps.now();
  await tx.dataKeys.deleteByOwner(buildId);
  await tx.tokens.revokeByBuild(buildId, now);
  await tx.sessions.endByBuild(buildId, now);
  await tx.handoffs.expireUnused(buildId, now);
  await tx.userKeys.removeByBuild(buildId);
  await tx.persons.endByBuild(buildId, now);
  await tx.startOvers.endByBuild(buildId, now);
  const leases = await tx.leases.listByBuild(buildId);
  await endLeases(deps, tx, leases, start);
  tx.audit("build.closing", buildId, { reason });
  // All were revoked before: no job is left that would close the build with its last lease.
  if (leases.every(({ state }) => state === "released")) {
    await tx.builds.moveState(buildId, ["closing"], "closed", { closedAt: now });
    tx.audit("build.closed", buildId);
  }
}
