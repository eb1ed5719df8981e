import type { LeaseRow } from "@keyloan/store";
import type { Details } from "../../audit-row.ts";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";

/** Records that nothing of a lease is left at its provider; a build that is closing is closed with the last one. */
export async function markReleased(
  deps: Pick<Deps, "now">,
  tx: Unit,
  lease: LeaseRow,
  more: Details = {},
): Promise<void> {
  if (!(await tx.endings.markReleased(lease.id))) return;
  tx.audit("lease.released", lease.buildId, {
    connector: lease.connectorId,
    resource: lease.handle,
    ...more,
  });
  if (await tx.endings.hasUnreleased(lease.buildId)) return;
  if (await tx.builds.markClosed(lease.buildId, deps.now())) {
    tx.audit("build.closed", lease.buildId);
  }
}
