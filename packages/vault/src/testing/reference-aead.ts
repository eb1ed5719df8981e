import { createDecipheriv } from "node:crypto";

const rotate = (word: number, bits: number) => (word << bits) | (word >>> (32 - bits));

/**
 * XChaCha20-Poly1305-IETF without libsodium: HChaCha20 written out, the rest by OpenSSL. Proves that the vault uses
 * the public construction (draft-irtf-cfrg-xchacha-03), so that other programs can open what it seals.
 */
export function openWithOpenSsl(sealed: Uint8Array, associatedData: Uint8Array, key: Uint8Array): Buffer {
  const nonce = sealed.subarray(0, 24);
  const ciphertext = sealed.subarray(24, -16);
  const shortNonce = Buffer.concat([Buffer.alloc(4), nonce.subarray(16)]);
  const decipher = createDecipheriv("chacha20-poly1305", hChaCha20(key, nonce.subarray(0, 16)), shortNonce, {
    authTagLength: 16,
  });
  decipher.setAAD(associatedData, { plaintextLength: ciphertext.length });
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
}

function hChaCha20(key: Uint8Array, nonce: Uint8Array): Buffer {
  const block = Buffer.concat([Buffer.from("expand 32-byte k"), key, nonce]);
  const state = Int32Array.from({ length: 16 }, (_, index) => block.readInt32LE(index * 4));
  for (let round = 0; round < 10; round += 1) {
    for (const column of [0, 1, 2, 3]) quarterRound(state, column, column + 4, column + 8, column + 12);
    for (const start of [0, 1, 2, 3]) {
      quarterRound(state, start, 4 + ((start + 1) % 4), 8 + ((start + 2) % 4), 12 + ((start + 3) % 4));
    }
  }
  const out = Buffer.alloc(32);
  for (let index = 0; index < 4; index += 1) {
    out.writeInt32LE(state[index] ?? 0, index * 4);
    out.writeInt32LE(state[12 + index] ?? 0, 16 + index * 4);
  }
  return out;
}

function quarterRound(state: Int32Array, a: number, b: number, c: number, d: number): void {
  const step = (sum: number, add: number, mixed: number, bits: number) => {
    state[sum] = (state[sum] ?? 0) + (state[add] ?? 0);
    state[mixed] = rotate((state[mixed] ?? 0) ^ (state[sum] ?? 0), bits);
  };
  step(a, b, d, 16);
  step(c, d, b, 12);
  step(a, b, d, 8);
  step(c, d, b, 7);
}
