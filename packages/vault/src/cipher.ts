import { createHmac } from "node:crypto";
import sodium from "libsodium-wrappers";
import { nextNonce } from "./nonce-pool.ts";
import { VaultError } from "./vault-error.ts";

export const keyBytes = 32;
export const nonceBytes = 24;
export const tagBytes = 16;

let isReady = false;

/** Resolves once libsodium is loaded. Await it once at start: sealing and opening throw until then. */
export const ready: Promise<void> = sodium.ready.then(() => {
  isReady = true;
});

/** XChaCha20-Poly1305-IETF under one key that only this closure holds. */
export type Cipher = {
  /** Base64url of the nonce followed by the ciphertext and its tag. `nonce` is for test vectors only. */
  readonly seal: (plaintext: Uint8Array, associatedData: Uint8Array, nonce?: Uint8Array) => string;
  /** @throws VaultError `malformed` or `cannot_open` */
  readonly open: (sealed: string, associatedData: Uint8Array) => Uint8Array;
  /** Derives a separate key for another use, from which this one cannot be computed. */
  readonly deriveKey: (label: string) => Uint8Array;
  /** Overwrites the key; every later call throws `key_closed`. */
  readonly close: () => void;
};

/** Takes ownership of `key`: the caller must not keep it, because `close` overwrites it. */
export function createCipher(key: Uint8Array): Cipher {
  let closed = false;
  const liveKey = () => {
    if (!isReady) throw new Error("the vault is used before it is ready: await `ready` first");
    if (closed) throw new VaultError("key_closed");
    return key;
  };
  return {
    seal(plaintext, associatedData, nonce = nextNonce()) {
      const sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
        plaintext,
        associatedData,
        null,
        nonce,
        liveKey(),
      );
      // 24 bytes are 32 characters without padding, so the two texts join into one of both.
      return toBase64Url(nonce) + toBase64Url(sealed);
    },
    open(sealed, associatedData) {
      const bytes = fromBase64Url(sealed);
      if (bytes === undefined || bytes.length < nonceBytes + tagBytes) throw new VaultError("malformed");
      const openKey = liveKey();
      try {
        return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
          null,
          bytes.subarray(nonceBytes),
          associatedData,
          bytes.subarray(0, nonceBytes),
          openKey,
        );
      } catch {
        throw new VaultError("cannot_open");
      }
    },
    deriveKey: (label) => createHmac("sha256", liveKey()).update(label).digest(),
    close() {
      closed = true;
      key.fill(0);
    },
  };
}

/** The bytes of canonical unpadded base64url; `undefined` for any other text, so that no two texts open alike. */
export function fromBase64Url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}

function toBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}
