import type { SecretValues } from "@keyloan/contract";
import type { DataKeyRow } from "@keyloan/store";
import {
  closeDataKey,
  type DataKey,
  type Keyring,
  openDataKey,
  openValues,
  sealValues,
} from "@keyloan/vault";

/** What a lease's envelope is bound to: another build or another connector's row does not open it. */
function leaseContext(buildId: string, leaseId: string) {
  return { purpose: "lease-env", ownerId: buildId, field: leaseId };
}

export function sealLease(
  keyring: Keyring,
  dataKey: DataKeyRow,
  leaseId: string,
  values: SecretValues,
): string {
  const key = openDataKey(keyring, dataKey);
  try {
    return sealValues(key, leaseContext(dataKey.ownerId, leaseId), values);
  } finally {
    closeDataKey(key);
  }
}

export function openLease(key: DataKey, buildId: string, leaseId: string, envelope: string): SecretValues {
  return openValues(key, leaseContext(buildId, leaseId), envelope);
}
