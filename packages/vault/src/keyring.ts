import { createHash } from "node:crypto";
import type { Secret } from "@keyloan/contract";
import { type Cipher, createCipher, fromBase64Url, keyBytes } from "./cipher.ts";
import { KeyringError } from "./keyring-error.ts";

/** @internal Reaches the ciphers of a keyring; not exported by the package. */
export const rootCipher = Symbol("root cipher");

/** The root keys of a broker. Holds no printable key. */
export type Keyring = {
  /** New data keys are wrapped under this one. */
  readonly currentKeyId: string;
  /** The current key first, then the old ones that still open what they wrapped. */
  readonly keyIds: readonly string[];
  readonly [rootCipher]: (keyId: string) => Cipher | undefined;
};

type RootKey = { readonly id: string; readonly derivedId: string; readonly bytes: Uint8Array };

// Shorter than the text of a key, so that a key typed in place of its id is not taken for an id.
const keyIdPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/;

/**
 * Reads root keys: one on a line (or between commas), as `<id>:<key>` or the key alone, the key being
 * 32 bytes in base64url without padding. `#` starts a comment. The first key of the first text is current;
 * the others only open. A key without an id gets one that is derived from it.
 * @param texts the configured key text and the content of the key file, in this order, as far as given
 * @throws KeyringError that names the line, if there is one, and what to do, but never the key
 */
export function parseKeyring(...texts: readonly (Secret | string)[]): Keyring {
  const keys = texts.flatMap((text) => parseKeys(typeof text === "string" ? text : text.reveal()));
  const [current] = keys;
  if (current === undefined) throw new KeyringError("missing");
  return toKeyring(current, keys);
}

/** The id of a root key that has none: a hash, which reveals nothing about the key. */
export function derivedKeyId(key: Uint8Array): string {
  return `rk-${createHash("sha256").update("keyloan/root-key-id/v1").update(key).digest("hex").slice(0, 16)}`;
}

function parseKeys(text: string): RootKey[] {
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\r|\n/)
    .flatMap((line, index) =>
      line
        .replace(/#.*$/s, "")
        .split(",")
        .map((entry) => entry.trim())
        .filter((entry) => entry !== "")
        .map((entry) => parseKey(entry, index + 1)),
    );
}

function parseKey(entry: string, line: number): RootKey {
  const colon = entry.indexOf(":");
  const id = colon === -1 ? undefined : entry.slice(0, colon).trim();
  const bytes = fromBase64Url(entry.slice(colon + 1).trim());
  if (id !== undefined && !keyIdPattern.test(id)) throw new KeyringError("malformed_id", line);
  if (bytes === undefined) throw new KeyringError("malformed_key", line);
  if (bytes.length !== keyBytes) throw new KeyringError("wrong_length", line);
  if (bytes.every((byte) => byte === bytes[0])) throw new KeyringError("weak_key", line);
  const derivedId = derivedKeyId(bytes);
  return { id: id ?? derivedId, derivedId, bytes };
}

function toKeyring(current: RootKey, keys: readonly RootKey[]): Keyring {
  const ciphers = new Map<string, Cipher>();
  const derivedIds = new Set<string>();
  for (const { id, derivedId, bytes } of keys) {
    if (derivedIds.has(derivedId)) throw new KeyringError("duplicate_key");
    derivedIds.add(derivedId);
    if (ciphers.has(id) || ciphers.has(derivedId)) throw new KeyringError("duplicate_id");
    // Found under both ids, so that what a key without an id wrapped still opens after the key is given one.
    const cipher = createCipher(bytes);
    ciphers.set(id, cipher).set(derivedId, cipher);
  }
  return {
    currentKeyId: current.id,
    keyIds: keys.map(({ id }) => id),
    [rootCipher]: (keyId) => ciphers.get(keyId),
  };
}
