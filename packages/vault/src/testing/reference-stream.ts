import { createHmac } from "node:crypto";
import sodium from "libsodium-wrappers";

/**
 * Opens a sealed stream with libsodium and without the vault: proves that it uses the public construction (STREAM of
 * ChaCha20-Poly1305-IETF, as in the payload of age files), so that other programs can open it.
 */
export function openStreamWithSodium(sealed: Uint8Array, associatedData: Uint8Array, key: Uint8Array) {
  const headerEnd = sealed.indexOf(0x0a) + 1;
  const salt = sealed.subarray(headerEnd, headerEnd + 32);
  const derived = createHmac("sha256", key).update("keyloan/stream/v1").digest();
  const chunkKey = createHmac("sha256", derived).update(salt).digest();
  const body = sealed.subarray(headerEnd + 32);
  const chunkLength = 65_536 + 16;
  const count = Math.ceil(body.length / chunkLength);
  const parts = Array.from({ length: count }, (_, index) => {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(index, 7);
    nonce[11] = index === count - 1 ? 1 : 0;
    const chunk = body.subarray(index * chunkLength, (index + 1) * chunkLength);
    return sodium.crypto_aead_chacha20poly1305_ietf_decrypt(null, chunk, associatedData, nonce, chunkKey);
  });
  return Buffer.concat(parts);
}
