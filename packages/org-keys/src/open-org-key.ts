import type { OrgCredential } from "@keyloan/contract";
import { erasedFields, type OrgKeyRow, type Store } from "@keyloan/store";
import { type Keyring, openDataKey, openValues } from "@keyloan/vault";

export type OrgKeyDeps = {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly organizationId: string;
};

/** The connector's newest key, decrypted, if it is active and so can be lent; otherwise `undefined`. */
export async function openActiveOrgKey(
  deps: OrgKeyDeps,
  connectorId: string,
): Promise<OrgCredential | undefined> {
  const row = await deps.store.read.orgKeys.findLatest(deps.organizationId, connectorId);
  return row?.state === "active" ? openRow(deps, row) : undefined;
}

/**
 * One version of a key, decrypted.
 * @throws Error if its fields were erased
 */
export async function openOrgKeyVersion(deps: OrgKeyDeps, row: OrgKeyRow): Promise<OrgCredential> {
  return openRow(deps, row);
}

/**
 * The keys that can end a lease, in the order to try. If the version that issued it is known: that version, then the
 * newest of the same account in case the first is dead or erased. If it is unknown, because it was never recorded:
 * every version that was lent since the lease began; each must be asked, because any of them may have issued it.
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
    // Newest first, up to the version that was in use when the lease began; older ones cannot have issued it.
    const first = versions.findIndex(({ putAt }) => putAt <= lease.createdAt);
    return { credentials: await open(first === -1 ? versions : versions.slice(0, first + 1)), askEach: true };
  }
  const successor = versions.find((row) => row !== own && isKept(row) && reachOf(own, row) === "same");
  return { credentials: await open(successor === undefined ? [own] : [own, successor]), askEach: false };
}

/**
 * Whether one version can reach the resources of another. With a key of another account, the provider reports that
 * they do not exist, although they do.
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

/** The context that an org key's envelope is bound to: it does not open for another org, connector or version. */
export function orgKeyContext(organizationId: string, row: Pick<OrgKeyRow, "connectorId" | "version">) {
  return { purpose: "org-key", ownerId: organizationId, field: `${row.connectorId}/${row.version}` };
}
