import type { OrgCredential } from "@keyloan/contract";
import { erasedFields, type OrgKeyRow, type Store } from "@keyloan/store";
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
 * One version, opened.
 * @throws Error when its fields were erased
 */
export async function openOrgKeyVersion(deps: OrgKeyDeps, row: OrgKeyRow): Promise<OrgCredential> {
  return openRow(deps, row);
}

/**
 * The keys that can end a lease, in the order to try. With the version it was issued with: that one, then the
 * newest of the same account in case the first is dead or erased. Without, because its issue never was recorded:
 * every version that was lent since, and each must be asked, for any may have made something.
 */
export async function openOrgKeysOfLease(
  deps: OrgKeyDeps,
  lease: {
    readonly connectorId: string;
    readonly orgKeyVersion: number | null;
    readonly createdAt: number;
  },
): Promise<{ readonly credentials: readonly OrgCredential[]; readonly askEach: boolean }> {
  const versions = await deps.store.read.orgKeys.listVersions(deps.organizationId, lease.connectorId);
  const own = versions.find(({ version }) => version === lease.orgKeyVersion);
  const open = (rows: readonly OrgKeyRow[]) =>
    Promise.all(rows.filter(isKept).map((row) => openRow(deps, row)));
  if (own === undefined) {
    // Newest first: the version after the one that was put before the lease came too late.
    const first = versions.findIndex(({ putAt }) => putAt <= lease.createdAt);
    return { credentials: await open(first === -1 ? versions : versions.slice(0, first + 1)), askEach: true };
  }
  const successor = versions.find((row) => row !== own && isKept(row) && reachOf(own, row) === "same");
  return { credentials: await open(successor === undefined ? [own] : [own, successor]), askEach: false };
}

/**
 * Whether the resources of one version can be reached with another: the key of another account answers "no such
 * thing" to what exists in the first.
 */
export function reachOf(a: OrgKeyRow, b: OrgKeyRow): "same" | "other" | "unknown" {
  if (a.fingerprint === b.fingerprint) return "same";
  if (a.check.account === undefined || b.check.account === undefined) return "unknown";
  return a.check.account === b.check.account ? "same" : "other";
}

const isKept = (row: OrgKeyRow) => row.fields !== erasedFields;

async function openRow(deps: OrgKeyDeps, row: OrgKeyRow): Promise<OrgCredential> {
  if (!isKept(row)) throw new Error("the fields of this version were erased");
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
