import type { Actor } from "@keyloan/contract";
import type { LeaseRow, Tables } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { auditRow } from "../audit.ts";

/** Records that nothing of a lease is left at its provider; a build that is closing is closed with the last one. */
export async function markReleased(
  deps: Pick<Deps, "now" | "randomBytes">,
  tables: Tables,
  actor: Actor,
  lease: LeaseRow,
  more: { readonly details?: Readonly<Record<string, unknown>>; readonly requestId?: string } = {},
): Promise<void> {
  const { requestId } = more;
  if (!(await tables.endings.markReleased(lease.id))) return;
  const details = { connector: lease.connectorId, resource: lease.handle, ...more.details };
  await tables.auditEvents.insertAll([
    auditRow(deps, { actor, action: "lease.released", entity: lease.buildId, details, requestId }),
  ]);
  if (await tables.endings.hasUnreleased(lease.buildId)) return;
  if (await tables.builds.markClosed(lease.buildId, deps.now())) {
    await tables.auditEvents.insertAll([
      auditRow(deps, { actor, action: "build.closed", entity: lease.buildId, details: {}, requestId }),
    ]);
  }
}
