import { newId } from "@keyloan/contract";
import type { DataKeyRow } from "@keyloan/store";
import { createDataKey, type DataKey } from "@keyloan/vault";
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
