import type { PlannedLease } from "@keyloan/contract";
import type { LeaseRow } from "@keyloan/store";

/** The lease as a connector sees it, by default with the expiry it has. */
export function planned(lease: LeaseRow, expiresAt: number = lease.expiresAt): PlannedLease {
  return {
    leaseId: lease.id,
    buildId: lease.buildId,
    expiresAt,
    options: lease.options,
    handle: lease.handle,
  };
}
