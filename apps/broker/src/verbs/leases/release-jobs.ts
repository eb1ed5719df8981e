import type { JobRow, LeaseRow } from "@keyloan/store";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import type { JobKind } from "../../queue/new-job.ts";

/** After this time no create call that was given up can still be under way at a provider. */
const lateCreateMs = 120_000;
/** What a provider's clock may lag behind ours when a credential ends. */
const clockMarginMs = 300_000;

/** Work on a lease that may be making something at its provider. */
const makingKinds: readonly JobKind[] = ["issue", "rekey", "rotate", "restore"];

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
 * Adds the jobs that end a lease at its provider: at once, or when whoever may be making its resource has let go.
 * @param pending the open jobs of the lease
 */
export function addReleaseJobs(
  deps: Pick<Deps, "now" | "workerId" | "connectors">,
  tx: Unit,
  lease: LeaseRow,
  pending: readonly JobRow[],
  { mayStillRun = false, isOneOfMany = false }: ReleaseStart = {},
): void {
  const job = { entityId: lease.id, buildId: lease.buildId, connectorId: lease.connectorId };
  const now = deps.now();
  const heldUntil = pending
    .filter((each) => isMaking(each) && each.lockedBy !== null)
    .filter(({ lockedBy }) => mayStillRun || lockedBy !== deps.workerId)
    .map(({ lockedUntil }) => lockedUntil ?? 0);
  // Somebody may be creating the resource at this moment: end it when that hold is over.
  const start = Math.max(now, ...heldUntil);
  tx.job({ ...job, kind: "release" }, isOneOfMany || heldUntil.length > 0 ? start : undefined);
  const again = { ...job, kind: "release-again" } as const;
  // A create call that was given up may still be carried out at the provider, after this revoke.
  if (lease.state !== "active" || heldUntil.length > 0) tx.job(again, start + lateCreateMs);
  else if (deps.connectors.get(lease.connectorId)?.issuer?.outlivesRevoke === true)
    tx.job(again, Math.max(lease.expiresAt, now) + clockMarginMs);
}
