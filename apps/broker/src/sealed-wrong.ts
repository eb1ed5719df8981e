import { BrokerError } from "@keyloan/contract";
import { VaultError, type VaultErrorCode } from "@keyloan/vault";

const ofWhatIsStored: ReadonlySet<VaultErrorCode> = new Set([
  "malformed",
  "unsupported_version",
  "wrong_owner",
  "wrong_data_key",
  "unknown_root_key",
  "cannot_open",
]);

/**
 * The 503 for what is sealed in the store and does not open: it was altered or belongs to another row, or the root
 * key that it needs is not there. `undefined` for any other failure.
 */
export function sealedWrong(error: unknown): BrokerError | undefined {
  if (!(error instanceof VaultError) || !ofWhatIsStored.has(error.code)) return undefined;
  return new BrokerError("unavailable", "sealed data in the store does not open with its key", {
    remedy:
      "Ask the operator: a root key may be missing from KEYLOAN_ROOT_KEY, as /health/ready reports; or the store was altered, as `keyloan audit verify` may show: then restore it from a backup.",
    cause: error,
  });
}
