import type { OrgCredential } from "@keyloan/contract";
import type { OrgKeyRow, Store } from "@keyloan/store";
import { type Keyring, openDataKey, openValues } from "@keyloan/vault";

export type OrgKeyDeps = {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly organizationId: string;
};

/** The newest key of a connector that is lent now, opened; `undefined` when the org has none. */
export async function openActiveOrgKey(
  deps: OrgKeyDeps,
  connectorId: string,
): Promise<OrgCredential | undefined> {
  const row = await deps.store.read.orgKeys.findLatest(deps.organizationId, connectorId);
  return row?.state === "active" ? openRow(deps, row) : undefined;
}

/**
 * The key a lease was issued with, so that it can be revoked with the same one; the newest one when that
 * version is gone.
 */
export async function openOrgKeyOfLease(
  deps: OrgKeyDeps,
  connectorId: string,
  version: number | null,
): Promise<OrgCredential | undefined> {
  const { orgKeys } = deps.store.read;
  const latest = await orgKeys.findLatest(deps.organizationId, connectorId);
  // A newer key of the same account reaches what the older one made; a retired one may be dead already.
  if (latest?.state === "active") return openRow(deps, latest);
  const own =
    version === null ? latest : await orgKeys.findVersion(deps.organizationId, connectorId, version);
  return own === undefined ? undefined : openRow(deps, own);
}

async function openRow(deps: OrgKeyDeps, row: OrgKeyRow): Promise<OrgCredential> {
  const dataKey = await deps.store.read.dataKeys.findByOwner(deps.organizationId);
  if (dataKey === undefined) throw new Error("the org has no data key");
  const fields = openValues(
    openDataKey(deps.keyring, dataKey),
    orgKeyContext(deps.organizationId, row),
    row.fields,
  );
  return { version: row.version, fields, facts: row.facts };
}

/** What the envelope of an org key is bound to: another org, connector or version does not open it. */
export function orgKeyContext(organizationId: string, row: Pick<OrgKeyRow, "connectorId" | "version">) {
  return { purpose: "org-key", ownerId: organizationId, field: `${row.connectorId}/${row.version}` };
}
