import { Secret } from "@keyloan/contract";
import sodium from "libsodium-wrappers";
import { VaultError } from "./vault-error.ts";

/** Anyone with the public key can seal; only the private key opens. Both are base64url of 32 bytes (X25519). */
export type SubmissionKeyPair = { readonly publicKey: string; readonly privateKey: Secret };

const toText = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
const toBytes = (text: string) => Uint8Array.from(Buffer.from(text, "base64url"));

/** A key pair for one session. Await `ready` first. */
export function createSubmissionKeyPair(): SubmissionKeyPair {
  const { publicKey, privateKey } = sodium.crypto_box_keypair();
  const pair = { publicKey: toText(publicKey), privateKey: Secret.of(toText(privateKey)) };
  sodium.memzero(privateKey);
  return pair;
}

/**
 * Opens what a page sealed to the public key with libsodium's sealed box, so that nothing between the page and the
 * broker, such as a logging proxy, sees a value.
 * @throws VaultError `malformed` if it is not a sealed box, `cannot_open` if it is for another key or was altered
 */
export function openSubmission(pair: SubmissionKeyPair, sealed: string): Secret {
  const box = toBytes(sealed);
  if (toText(box) !== sealed || box.length < sodium.crypto_box_SEALBYTES) throw new VaultError("malformed");
  const privateKey = toBytes(pair.privateKey.reveal());
  try {
    const opened = sodium.crypto_box_seal_open(box, toBytes(pair.publicKey), privateKey);
    return Secret.of(new TextDecoder("utf-8", { fatal: true }).decode(opened));
  } catch {
    throw new VaultError("cannot_open");
  } finally {
    sodium.memzero(privateKey);
  }
}
