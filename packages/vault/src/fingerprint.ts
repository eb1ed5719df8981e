import { createHmac, createSecretKey } from "node:crypto";
import type { Secret, SecretValues } from "@keyloan/contract";
import { type DataKey, dataCipher } from "./data-key.ts";

/** Names for credentials, which reveal whether two are equal and nothing else. */
export type Fingerprinter = {
  /** The fingerprint of one value, whatever its name: finds the same key in another place. */
  readonly ofValue: (value: Secret) => string;
  /** The fingerprint of a whole credential: its names and values, in any order. */
  readonly ofValues: (values: SecretValues) => string;
};

/**
 * Fingerprints by HMAC-SHA256, cut to 128 bits, under a key derived from a data key that is kept for this
 * alone. Without the key a guess cannot be tested. A root key rotation re-wraps the data key and leaves it
 * as it is, so fingerprints stay the same. The data key may be closed afterwards.
 */
export function createFingerprinter(key: DataKey): Fingerprinter {
  const derived = key[dataCipher].deriveKey("keyloan/fingerprint/v1");
  const hmacKey = createSecretKey(derived);
  derived.fill(0);
  const fingerprint = (text: string) =>
    `fp1_${createHmac("sha256", hmacKey).update(text, "utf8").digest("hex").slice(0, 32)}`;
  return {
    ofValue: (value) => fingerprint(JSON.stringify(["value", value.reveal()])),
    ofValues: (values) =>
      fingerprint(
        JSON.stringify([
          "values",
          ...Object.keys(values)
            .sort()
            .map((name) => [name, values[name]?.reveal()]),
        ]),
      ),
  };
}
