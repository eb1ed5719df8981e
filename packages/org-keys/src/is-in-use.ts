import type { OrgKeyRow, Tables } from "@keyloan/store";
import type { OrgKeyDeps } from "./open-org-key.ts";

/** Whether this version may still be needed to end a lease. */
export async function isInUse(
  deps: Pick<OrgKeyDeps, "store" | "organizationId"> & { readonly now: () => number },
  row: Pick<OrgKeyRow, "connectorId" | "version">,
  tables: Pick<Tables, "orgKeys" | "keyUses"> = deps.store.read,
): Promise<boolean> {
  const versions = await tables.orgKeys.listVersions(deps.organizationId, row.connectorId);
  const next = versions.findLast(({ version }) => version > row.version);
  return tables.keyUses.isInUse(row.connectorId, row.version, next?.putAt ?? deps.now());
}
