import type { SecretValues } from "@keyloan/contract";
import type { DataKeyRow } from "@keyloan/store";
import { type DataKey, type Keyring, openDataKey, openValues, sealValues } from "@keyloan/vault";

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
  return sealValues(openDataKey(keyring, dataKey), leaseContext(dataKey.ownerId, leaseId), values);
}

export function openLease(key: DataKey, buildId: string, leaseId: string, envelope: string): SecretValues {
  return openValues(key, leaseContext(buildId, leaseId), envelope);
}
