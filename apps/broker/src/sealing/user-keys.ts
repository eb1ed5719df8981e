import type { SecretValues } from "@keyloan/contract";
import { type DataKey, openValues, sealValues } from "@keyloan/vault";
import { sealingContexts } from "./contexts.ts";

/** The sealed values that a user saved for a connector. @throws VaultError */
export function sealUserKey(key: DataKey, userKeyId: string, values: SecretValues): string {
  return sealValues(key, sealingContexts.userKey(key.ownerId, userKeyId), values);
}

/** @throws VaultError for an envelope of another build or row */
export function openUserKey(key: DataKey, userKeyId: string, envelope: string): SecretValues {
  return openValues(key, sealingContexts.userKey(key.ownerId, userKeyId), envelope);
}
