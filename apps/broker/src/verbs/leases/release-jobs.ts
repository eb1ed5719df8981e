import type { ClaimedJob, JobRow, LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { type JobKind, newHeldJob, newWaitingJob } from "../../jobs/new-job.ts";

/** After this time no create call that was given up can still be under way at a provider. */
const lateCreateMs = 120_000;
/** What a provider's clock may lag behind ours when a credential ends. */
const clockMarginMs = 300_000;

/** Work on a lease that may be making something at its provider. */
const makingKinds: readonly JobKind[] = ["issue", "reissue", "rotate-credentials", "restore"];

export type ReleaseStart = {
  /** This process held jobs of the lease and has not waited for their end. */
  readonly mayStillRun?: boolean;
  /** One of very many: it waits until a broker has room for it, rather than being run at once. */
  readonly isOneOfMany?: boolean;
};

/** Whether a job may be making something at its lease's provider. */
export function isMaking({ kind }: Pick<JobRow, "kind">): boolean {
  return makingKinds.some((making) => making === kind);
}

/**
 * The jobs that end a lease at its provider: at once, or when whoever may be making its resource has let go.
 * @param pending the open jobs of the lease
 */
export function releaseJobs(
  deps: Pick<Deps, "now" | "randomBytes" | "workerId" | "connectors">,
  lease: LeaseRow,
  pending: readonly JobRow[],
  { mayStillRun = false, isOneOfMany = false }: ReleaseStart = {},
): ClaimedJob[] {
  const job = { entityId: lease.id, buildId: lease.buildId, connectorId: lease.connectorId };
  const now = deps.now();
  const heldUntil = pending
    .filter((each) => isMaking(each) && each.lockedBy !== null)
    .filter(({ lockedBy }) => mayStillRun || lockedBy !== deps.workerId)
    .map(({ lockedUntil }) => lockedUntil ?? 0);
  // Somebody may be creating the resource at this moment: end it when that hold is over.
  const start = Math.max(now, ...heldUntil);
  const release =
    isOneOfMany || heldUntil.length > 0
      ? newWaitingJob(deps, { ...job, kind: "release" }, start)
      : newHeldJob(deps, { ...job, kind: "release" });
  const again = { ...job, kind: "release-again" } as const;
  // A create call that was given up may still be carried out at the provider, after this revoke.
  if (lease.state !== "active" || heldUntil.length > 0)
    return [release, newWaitingJob(deps, again, start + lateCreateMs)];
  const connector = deps.connectors.get(lease.connectorId);
  if (connector?.issuer?.outlivesRevoke !== true) return [release];
  return [release, newWaitingJob(deps, again, Math.max(lease.expiresAt, now) + clockMarginMs)];
}
