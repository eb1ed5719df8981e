import { closeDataKey, type DataKey, openDataKey } from "@keyloan/vault";
import type { Deps } from "./deps.ts";

/**
 * Uses the org's data key and closes it again.
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
