import type { Actor } from "@keyloan/contract";
import type { ClaimedJob, JobRow, LeaseRow, Tables } from "@keyloan/store";
import { newHeldJob, newWaitingJob } from "../../jobs/new-job.ts";
import type { Services } from "../../services.ts";
import { auditRow } from "../audit.ts";
import { findBuild } from "./find-build.ts";

/** After this time no create call that was given up can still be under way at a provider. */
const lateCreateMs = 120_000;
/** What a provider's clock may lag behind ours when a credential ends. */
const clockMarginMs = 300_000;

/**
 * Ends a build: at once its tokens die and its data key is shredded, then every lease is ended at its
 * provider. Closing a closed build changes nothing.
 * @returns a promise that ends when every lease was tried
 * @throws BrokerError `not_found`
 */
export async function closeBuild(
  services: Services,
  actor: Actor,
  buildId: string,
  options: { readonly requestId?: string; readonly reason: "requested" | "expired" },
): Promise<{ readonly settled: Promise<void> }> {
  await findBuild(services, buildId);
  // What is being issued now may still finish its call under way; it must not begin another.
  services.runner.cancel(buildId);
  await services.runner.settled(buildId);
  const jobs = await services.store.write((tables) =>
    endEverything(services, tables, actor, buildId, options),
  );
  const own = jobs.filter(({ lockedBy }) => lockedBy !== null);
  return { settled: own.length > 0 ? services.runner.run(buildId, own) : services.runner.settled(buildId) };
}

async function endEverything(
  services: Services,
  tables: Tables,
  actor: Actor,
  buildId: string,
  options: { readonly requestId?: string; readonly reason: string },
): Promise<ClaimedJob[]> {
  const open = ["provisioning", "ready", "handing_off", "handed_off"] as const;
  if (!(await tables.builds.moveState(buildId, open, "closing"))) return [];
  const now = services.now();
  await tables.dataKeys.deleteByOwner(buildId);
  await tables.tokens.revokeByBuild(buildId, now);
  await tables.sessions.endByBuild(buildId, now);
  await tables.handoffs.expireUnused(buildId, now);
  await tables.userKeys.removeByBuild(buildId);
  const jobs: ClaimedJob[] = [];
  for (const lease of await tables.leases.listByBuild(buildId)) {
    const all = await tables.jobs.listByEntity(lease.id);
    // What a person cancelled before is being ended already, or has been.
    const isEnding = all.some(({ kind, state }) => kind === "release" && state !== "done");
    if (lease.state === "released" || isEnding) continue;
    const pending = all.filter(({ state }) => state === "waiting");
    await tables.jobs.cancelByEntity(lease.id, "issue", now);
    await tables.leases.update(lease.id, [lease.state], { state: "releasing", env: null });
    jobs.push(...releaseJobs(services, lease, pending));
  }
  await tables.jobs.insertAll(jobs);
  await tables.auditEvents.insertAll([
    auditRow(services, {
      actor,
      action: "build.closing",
      entity: buildId,
      details: { reason: options.reason },
      requestId: options.requestId,
    }),
  ]);
  return jobs;
}

/** The jobs that end a lease at its provider: at once, or when whoever may be making its resource has let go. */
export function releaseJobs(services: Services, lease: LeaseRow, pending: readonly JobRow[]): ClaimedJob[] {
  const job = { entityId: lease.id, buildId: lease.buildId, connectorId: lease.connectorId };
  const heldElsewhere = pending
    .filter(({ kind, lockedBy }) => kind === "issue" && lockedBy !== null && lockedBy !== services.workerId)
    .map(({ lockedUntil }) => lockedUntil ?? 0);
  const release =
    heldElsewhere.length === 0
      ? newHeldJob(services, { ...job, kind: "release" })
      : // Another process may be creating the resource at this moment: end it when its hold is over.
        newWaitingJob(services, { ...job, kind: "release" }, Math.max(...heldElsewhere));
  const again = { ...job, kind: "release-again" } as const;
  // A create call that was given up may still be carried out at the provider, after this revoke.
  if (lease.state !== "active")
    return [release, newWaitingJob(services, again, services.now() + lateCreateMs)];
  const connector = services.connectors.get(lease.connectorId);
  if (connector?.issuer?.outlivesRevoke !== true) return [release];
  return [release, newWaitingJob(services, again, Math.max(lease.expiresAt, services.now()) + clockMarginMs)];
}
