import { newId } from "@keyloan/contract";
import type { DataKeyRow } from "@keyloan/store";
import { closeDataKey, createDataKey, type DataKey, type DataKeyRecord, openDataKey } from "@keyloan/vault";
import { buildClosed } from "../build-closed.ts";
import type { Deps } from "../deps.ts";

/** A fresh data key for an owner, wrapped and ready to be stored, and open for use now. */
export function createOwnerKey(
  deps: Pick<Deps, "keyring" | "now" | "randomBytes">,
  ownerId: string,
  options: { readonly promisesState?: boolean } = {},
): { readonly row: DataKeyRow; readonly key: DataKey } {
  const identity = { id: newId("dataKey", deps.randomBytes), ownerId };
  const { record, key } = createDataKey(deps.keyring, identity, options);
  return { row: { ...record, createdAt: deps.now() }, key };
}

/** Uses a data key, and erases it after. @throws VaultError when it does not open */
export function withOpenKey<T>(
  { keyring }: Pick<Deps, "keyring">,
  row: DataKeyRecord,
  use: (key: DataKey) => T,
): T {
  const key = openDataKey(keyring, row);
  try {
    return use(key);
  } finally {
    closeDataKey(key);
  }
}

/** The same with a build's data key. @throws BrokerError `build_closed` */
export async function withDataKey<T>(
  deps: Pick<Deps, "store" | "keyring">,
  buildId: string,
  use: (key: DataKey) => T,
): Promise<T> {
  const row = await deps.store.read.dataKeys.findByOwner(buildId);
  if (row === undefined) throw buildClosed("closed");
  return withOpenKey(deps, row, use);
}

/**
 * The same with the org's data key, for work that may take its time.
 * @throws VaultError when it does not open, StoreError when it cannot be read
 */
export async function withOrgDataKey<T>(
  deps: Pick<Deps, "store" | "keyring" | "organizationId">,
  use: (key: DataKey) => Promise<T> | T,
): Promise<T> {
  const row = await deps.store.read.dataKeys.findByOwner(deps.organizationId);
  if (row === undefined) throw new Error("the org has no data key");
  const key = openDataKey(deps.keyring, row);
  try {
    return await use(key);
  } finally {
    closeDataKey(key);
  }
}
