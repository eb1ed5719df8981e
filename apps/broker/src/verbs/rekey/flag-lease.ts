import type { LeaseRow, StoredLeaseError } from "@keyloan/store";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import type { Notice } from "../../notify/notice.ts";

const noticeEveryMs = 24 * 3_600_000;

/** Tells that leases go on with an org key that was replaced. */
export function flagNotice(connectorId: string, leases: number): Notice {
  const subject = leases === 1 ? "1 lease keeps" : `${leases} leases keep`;
  return {
    type: "org_key.leases_flagged",
    message: `${subject} using a replaced key of ${connectorId}, because the new one cannot serve them.`,
    connectorId,
    remedy: "`keyloan org-keys list` shows how many and why: keep the old key alive until their builds end.",
  };
}

/**
 * Marks a lease that could not be moved to the new version, in the transaction that ends its job. Somebody is
 * told once a day for each connector, however many leases there are.
 */
export async function flagLease(
  deps: Deps,
  tx: Unit,
  lease: LeaseRow,
  error: StoredLeaseError,
): Promise<void> {
  if (!(await tx.leases.update(lease.id, ["active", "archived"], { lastError: error }))) return;
  const { connectorId, buildId } = lease;
  const details = { connector: connectorId, version: lease.orgKeyVersion, code: error.code };
  tx.audit("lease.flagged", buildId, details);
  if (await tx.schedules.take(`lease-flags:${connectorId}`, deps.now(), noticeEveryMs)) {
    tx.notice(flagNotice(connectorId, 1));
  }
}
