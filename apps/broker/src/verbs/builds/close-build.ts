import type { Actor } from "@keyloan/contract";
import type { ClaimedJob, Tables } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { auditRow } from "../audit.ts";
import { endLeases } from "../leases/end-leases.ts";
import type { ReleaseStart } from "../leases/release-jobs.ts";
import { findBuild } from "./find-build.ts";

const openStates = ["provisioning", "ready", "handing_off", "handed_off"] as const;

type Closing = {
  readonly actor: Actor;
  readonly reason: "requested" | "expired";
  readonly requestId?: string;
  readonly start?: ReleaseStart;
};

/**
 * Ends a build: at once its tokens die and its data key is shredded, then every lease is ended at its
 * provider. Closing a closed build changes nothing.
 * @returns a promise that ends when every lease was tried
 * @throws BrokerError `not_found`
 */
export async function closeBuild(
  deps: Deps,
  actor: Actor,
  buildId: string,
  options: { readonly requestId?: string } = {},
): Promise<{ readonly settled: Promise<void> }> {
  await findBuild(deps, buildId);
  // What is being issued now may still finish its call under way; it must not begin another.
  deps.runner.cancel(buildId);
  await deps.runner.settled(buildId);
  const jobs = await deps.store.write(async (tables) => {
    if (!(await tables.builds.moveState(buildId, openStates, "closing"))) return [];
    return endEverything(deps, tables, buildId, { ...options, actor, reason: "requested" });
  });
  const own = jobs.filter(({ lockedBy }) => lockedBy !== null);
  return { settled: own.length > 0 ? deps.runner.run(buildId, own) : deps.runner.settled(buildId) };
}

/**
 * Closes a build whose time is over, as one of very many: it waits for nobody, and its leases are ended at their
 * providers when a broker has room.
 * @returns false when another broker has closed it, or it was given more time
 */
export async function closeExpired(deps: Deps, buildId: string): Promise<boolean> {
  deps.runner.cancel(buildId);
  const actor = { kind: "system", part: "expiry" } as const;
  const start = { isOneOfMany: true, mayStillRun: true };
  return deps.store.write(async (tables) => {
    if (!(await tables.builds.closeExpired(buildId, deps.now()))) return false;
    await endEverything(deps, tables, buildId, { actor, reason: "expired", start });
    return true;
  });
}

async function endEverything(
  deps: Deps,
  tables: Tables,
  buildId: string,
  { actor, reason, requestId, start = {} }: Closing,
): Promise<readonly ClaimedJob[]> {
  const now = deps.now();
  await tables.dataKeys.deleteByOwner(buildId);
  await tables.tokens.revokeByBuild(buildId, now);
  await tables.sessions.endByBuild(buildId, now);
  await tables.handoffs.expireUnused(buildId, now);
  await tables.userKeys.removeByBuild(buildId);
  await tables.persons.endByBuild(buildId, now);
  await tables.startOvers.endByBuild(buildId, now);
  const leases = await tables.leases.listByBuild(buildId);
  const { jobs } = await endLeases(deps, tables, leases, start);
  const rows = [
    auditRow(deps, { actor, action: "build.closing", entity: buildId, details: { reason }, requestId }),
  ];
  // All were revoked before: no job is left that would close the build with its last lease.
  if (leases.every(({ state }) => state === "released")) {
    await tables.builds.moveState(buildId, ["closing"], "closed", { closedAt: now });
    rows.push(auditRow(deps, { actor, action: "build.closed", entity: buildId, details: {}, requestId }));
  }
  await tables.auditEvents.insertAll(rows);
  return jobs;
}
