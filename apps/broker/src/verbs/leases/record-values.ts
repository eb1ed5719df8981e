import type { SecretValues } from "@keyloan/contract";
import type { LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import type { JobHold } from "../../queue/define-job.ts";
import { step } from "../../queue/step.ts";
import { sealLease } from "../../sealing/lease-values.ts";
import { recordFingerprints } from "./record-fingerprints.ts";

export type NewValues = {
  readonly values: SecretValues;
  readonly orgKeyVersion: number;
  /** `entity.verb` of the audit. */
  readonly action: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** What the job keeps to go on with, in the same transaction. */
  readonly payload?: Readonly<Record<string, unknown>>;
};

/**
 * `changed`: somebody else gave the lease other values or another end since `lease` was read, so what was minted
 * may be dead or end too early. `ended`: it is not active any more. `lost`: the job is another worker's.
 */
export type Recorded = "recorded" | "changed" | "ended" | "lost";

/** Gives an active lease new values: sealed, remembered by fingerprint and audited in one transaction. */
export async function recordValues(
  deps: Deps,
  hold: JobHold,
  lease: LeaseRow,
  fresh: NewValues,
): Promise<Recorded> {
  const recorded = await step(deps, hold, async (tx): Promise<Recorded> => {
    const dataKey = await tx.dataKeys.findByOwner(lease.buildId);
    const now = await tx.leases.find(lease.id);
    if (dataKey === undefined || now === undefined || now.state !== "active") return "ended";
    if (now.env !== lease.env || now.expiresAt !== lease.expiresAt) return "changed";
    const { id, fence } = hold.job;
    if (fresh.payload !== undefined) await tx.jobs.setPayload(id, fence, fresh.payload);
    await tx.leases.update(lease.id, ["active"], {
      env: sealLease(deps, dataKey, lease.id, fresh.values),
      orgKeyVersion: fresh.orgKeyVersion,
      lastError: null,
    });
    const specs = deps.connectors.get(lease.connectorId)?.spec.env ?? [];
    await recordFingerprints(deps, tx, lease.id, specs, fresh.values);
    tx.audit(fresh.action, lease.buildId, {
      connector: lease.connectorId,
      lease: lease.id,
      names: Object.keys(fresh.values),
      ...fresh.details,
    });
    return "recorded";
  });
  return recorded ?? "lost";
}
