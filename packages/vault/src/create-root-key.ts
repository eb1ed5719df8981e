import { Secret } from "@keyloan/contract";
import { keyBytes } from "./cipher.ts";
import { derivedKeyId } from "./keyring.ts";

/**
 * A new root key. `line` is what the key file or the configured text holds: `<id>:<key>`.
 * @param randomBytes a cryptographically strong source
 */
export function createRootKey(randomBytes: (size: number) => Uint8Array): {
  readonly keyId: string;
  readonly line: Secret;
} {
  const key = Buffer.from(randomBytes(keyBytes));
  const keyId = derivedKeyId(key);
  const line = Secret.of(`${keyId}:${key.toString("base64url")}`);
  key.fill(0);
  return { keyId, line };
}
