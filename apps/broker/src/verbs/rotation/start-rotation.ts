import { BrokerError, type Connector, type RotationView } from "@keyloan/contract";
import type { ClaimedJob, JobRow, LeaseRow, Tables } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import { issuerOf } from "../../issuer-of.ts";
import { type RotationPayload, rotationPayload } from "./rotation-payload.ts";
import { leaseNotFound, rotationView } from "./rotation-view.ts";

export type StartRotationInput = {
  /** 0 cuts at once. */
  readonly overlapSeconds: number;
  readonly reason?: string | undefined;
};

/**
 * Begins to replace the credentials of one lease. One that is under way and waits, for its cut or for a proof, is
 * replaced: what it still had to prove dead is proven by this one.
 * @throws BrokerError `not_found`, `not_ready` when the lease holds nothing, `not_supported` when its credentials
 * cannot be ended alone, `already_running` while one is at work
 */
export async function startRotation(
  deps: Deps,
  by: By,
  leaseId: string,
  input: StartRotationInput,
): Promise<RotationView> {
  const lease = await deps.store.read.leases.find(leaseId);
  if (lease === undefined) throw leaseNotFound(leaseId);
  checkSupport(deps, lease, input);
  const job = await deps.change(by, [lease.buildId], async (tx) => {
    const now = await tx.leases.find(leaseId);
    if (now?.state !== "active" || now.env === null) throw notActive(now ?? lease);
    const before = await takeOver(deps, tx, leaseId);
    const held = tx.job({
      kind: "rotate",
      entityId: leaseId,
      buildId: lease.buildId,
      connectorId: lease.connectorId,
      payload: {
        phase: input.overlapSeconds > 0 ? "mint" : "cut",
        old: before,
        overlapSeconds: input.overlapSeconds,
        recuts: 0,
        ...(input.reason === undefined ? {} : { reason: input.reason }),
      } satisfies RotationPayload,
    });
    const details = { connector: lease.connectorId, lease: leaseId, job: held.id, ...input };
    tx.audit("lease.rotation_started", lease.buildId, details);
    return held;
  });
  return rotationView(lease, job);
}

/** Ends rotations of the lease that wait, and gives what they still had to prove. */
async function takeOver(deps: Deps, tables: Tables, leaseId: string): Promise<readonly string[]> {
  const old: string[] = [];
  for (const job of await tables.jobs.listByEntity(leaseId)) {
    if (job.kind !== "rotate" || !isOpen(job)) continue;
    // At the provider its cut might come after ours, and end what we give.
    if (isHeld(job, deps.now())) throw alreadyRunning(job);
    const payload = rotationPayload(job);
    old.push(...payload.old);
    await tables.jobs.setPayload(job.id, job.fence, { ...payload, old: [] });
    await tables.jobs.cancel(job.id, deps.now());
  }
  return old;
}

const isOpen = ({ state }: JobRow) => state === "waiting" || state === "requires_action";
const isHeld = ({ lockedUntil }: JobRow, now: number) => lockedUntil !== null && lockedUntil > now;

function checkSupport(deps: Deps, lease: LeaseRow, input: StartRotationInput): void {
  const connector = deps.connectors.get(lease.connectorId);
  if (connector === undefined) throw notActive(lease);
  const issuer = issuerOf(deps, connector);
  if (issuer.rotate === undefined) throw cannotRotate(connector);
  if (input.overlapSeconds > 0 && issuer.renew === undefined) {
    throw new BrokerError("not_supported", `${connector.spec.id} cannot have two credentials at a time`, {
      remedy: "Rotate without an overlap.",
    });
  }
}

function cannotRotate({ spec }: Connector): BrokerError {
  const { id } = spec;
  return spec.grade === "E"
    ? new BrokerError(
        "not_supported",
        `every build shares the key of ${id}: this lease has no key of its own`,
        {
          remedy: `Rotate the org key: \`keyloan org-keys rotate ${id}\`. Every build gets the new one.`,
        },
      )
    : new BrokerError("not_supported", `a single credential of ${id} cannot be ended`, {
        remedy: "Close the build, which ends everything lent to it, and make a new one.",
      });
}

function notActive(lease: LeaseRow): BrokerError {
  return new BrokerError("not_ready", `the lease is ${lease.state}, so it has no credential to replace`, {
    remedy: "Only an active lease has one; `keyloan build show` shows its state.",
    details: { state: lease.state },
  });
}

function alreadyRunning(job: ClaimedJob): BrokerError {
  return new BrokerError("already_running", "the credentials of this lease are being replaced right now", {
    remedy: "Ask for it again in a few seconds; `keyloan lease rotation` shows the progress.",
    details: { job: job.id },
    retryAfterSeconds: 5,
  });
}
