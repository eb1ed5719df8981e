import { createHmac, createSecretKey } from "node:crypto";
import { tokenCheckBytes } from "@keyloan/contract";
import { type DataKey, dataCipher } from "./data-key.ts";

/** Makes the check at the end of a token from the text before it. */
export type TokenCheck = (body: string) => string;

/**
 * Checks by HMAC-SHA256, cut to 48 bits and in base64url, under a key derived from a data key. Only a holder of the
 * data key can make a right one. The data key may be closed afterwards.
 */
export function createTokenCheck(key: DataKey): TokenCheck {
  const derived = key[dataCipher].deriveKey("keyloan/token-check/v1");
  const hmacKey = createSecretKey(derived);
  derived.fill(0);
  return (body) =>
    createHmac("sha256", hmacKey)
      .update(body, "utf8")
      .digest()
      .subarray(0, tokenCheckBytes)
      .toString("base64url");
}
