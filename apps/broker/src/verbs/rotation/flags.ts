import type { ClaimedJob, LeaseRow, StoredLeaseError, Tables } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { noticeJob } from "../../notify/notice.ts";
import { auditRow } from "../audit.ts";

const noticeEveryMs = 24 * 3_600_000;

/** Tells that leases go on with an org key that was replaced. */
export function flagNotice(
  deps: Pick<Deps, "now" | "randomBytes">,
  connectorId: string,
  leases: number,
): ClaimedJob {
  const subject = leases === 1 ? "1 lease goes" : `${leases} leases go`;
  return noticeJob(deps, {
    type: "org_key.leases_flagged",
    message: `${subject} on with a replaced key of ${connectorId}, for the new one cannot serve them.`,
    connectorId,
    remedy: "`keyloan org-keys list` tells how many and why: keep the old key alive until their builds end.",
  });
}

/**
 * Marks a lease that could not be moved to the new version, in the transaction that ends its job. Somebody is
 * told once a day for each connector, however many leases there are.
 */
export async function flagLease(
  deps: Deps,
  tables: Tables,
  jobId: string,
  lease: LeaseRow,
  error: StoredLeaseError,
): Promise<void> {
  if (!(await tables.leases.update(lease.id, ["active", "archived"], { lastError: error }))) return;
  const { connectorId, buildId } = lease;
  const actor = { kind: "job", jobId } as const;
  const details = { connector: connectorId, version: lease.orgKeyVersion, code: error.code };
  await tables.auditEvents.insertAll([
    auditRow(deps, { actor, action: "lease.flagged", entity: buildId, details }),
  ]);
  if (await tables.schedules.take(`lease-flags:${connectorId}`, deps.now(), noticeEveryMs)) {
    await tables.jobs.insertAll([flagNotice(deps, connectorId, 1)]);
  }
}
