import type { SecretValues } from "@keyloan/contract";
import type { DataKeyRow } from "@keyloan/store";
import { type DataKey, openValues, sealValues } from "@keyloan/vault";
import type { Deps } from "../deps.ts";
import { sealingContexts } from "./contexts.ts";
import { withOpenKey } from "./data-key.ts";

/** The sealed values of a lease. @throws VaultError */
export function sealLease(
  deps: Pick<Deps, "keyring">,
  dataKey: DataKeyRow,
  leaseId: string,
  values: SecretValues,
): string {
  const context = sealingContexts.leaseValues(dataKey.ownerId, leaseId);
  return withOpenKey(deps, dataKey, (key) => sealValues(key, context, values));
}

/** @throws VaultError for an envelope of another build or lease */
export function openLease(key: DataKey, leaseId: string, envelope: string): SecretValues {
  return openValues(key, sealingContexts.leaseValues(key.ownerId, leaseId), envelope);
}
