import { randomBytes } from "node:crypto";
import { associatedData } from "./associated-data.ts";
import { type Cipher, createCipher, keyBytes } from "./cipher.ts";
import { type Keyring, rootCipher } from "./keyring.ts";
import { VaultError } from "./vault-error.ts";

/** @internal Reaches the cipher of a data key; not exported by the package. */
export const dataCipher = Symbol("data cipher");

/** What the store keeps of a data key. Deleting it shreds everything sealed with the key. */
export type DataKeyRecord = {
  readonly id: string;
  /** The build or organization whose values it seals. */
  readonly ownerId: string;
  /** The root key it is wrapped under. */
  readonly kid: string;
  readonly wrapped: string;
};

/** An opened data key. Holds no printable key. */
export type DataKey = {
  readonly id: string;
  readonly ownerId: string;
  /** Whether the state that its owner keeps sealed must exist: see {@link promiseState}. */
  readonly promisesState: boolean;
  readonly [dataCipher]: Cipher;
};

/** `v2` is `v1` with a promise. The version is authenticated, so neither can be passed off as the other. */
type WrapVersion = "v1" | "v2";

export const dataKeyIdPattern = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * A new random data key, wrapped under the current root key and bound to its id and owner.
 * @throws VaultError `bad_context` for an invalid id or owner
 */
export function createDataKey(
  keyring: Keyring,
  identity: { readonly id: string; readonly ownerId: string },
  options: { readonly promisesState?: boolean } = {},
): { readonly record: DataKeyRecord; readonly key: DataKey } {
  const raw = randomBytes(keyBytes);
  const record = wrapDataKey(keyring, identity, raw, {
    version: options.promisesState === true ? "v2" : "v1",
  });
  return { record, key: toDataKey(record, raw) };
}

/**
 * Opens the data key of a stored record. Close it with {@link closeDataKey} when it is no longer needed.
 * @throws VaultError if its root key is not in the keyring, or the record was altered or moved to another owner
 */
export function openDataKey(keyring: Keyring, record: DataKeyRecord): DataKey {
  return toDataKey(record, unwrapDataKey(keyring, record));
}

/**
 * Wraps the same data key under the current root key; sealed values are not touched. If a record is wrapped under that
 * key already, it is returned unchanged, after checking that it opens.
 * @throws VaultError as {@link openDataKey} does
 */
export function rewrapDataKey(keyring: Keyring, record: DataKeyRecord): DataKeyRecord {
  const version = wrapVersion(record);
  const raw = unwrapDataKey(keyring, record);
  try {
    return record.kid === keyring.currentKeyId ? record : wrapDataKey(keyring, record, raw, { version });
  } finally {
    raw.fill(0);
  }
}

/**
 * Wraps the same data key with a promise: from now on its owner keeps state sealed under it, and if that state is
 * missing, somebody removed it. Somebody who can write the record can take the promise back only by putting an older
 * record in its place.
 * @throws VaultError as {@link openDataKey} does
 */
export function promiseState(keyring: Keyring, record: DataKeyRecord): DataKeyRecord {
  const raw = unwrapDataKey(keyring, record);
  try {
    return wrapDataKey(keyring, record, raw, { version: "v2" });
  } finally {
    raw.fill(0);
  }
}

/** Overwrites the key's bytes; from now on sealing and opening with this handle throws. */
export function closeDataKey(key: DataKey): void {
  key[dataCipher].close();
}

/** @internal Give `nonce` for test vectors only. */
export function wrapDataKey(
  keyring: Keyring,
  identity: { readonly id: string; readonly ownerId: string },
  raw: Uint8Array,
  { version, nonce }: { readonly version: WrapVersion; readonly nonce?: Uint8Array },
): DataKeyRecord {
  const { id, ownerId } = identity;
  const kid = keyring.currentKeyId;
  if (!dataKeyIdPattern.test(id)) throw new VaultError("bad_context");
  const sealed = rootCipherOf(keyring, kid).seal(raw, wrapContext(version, kid, id, ownerId), nonce);
  return { id, ownerId, kid, wrapped: `${version}.${sealed}` };
}

function unwrapDataKey(keyring: Keyring, record: DataKeyRecord): Uint8Array {
  const { id, ownerId, kid, wrapped } = record;
  const cipher = rootCipherOf(keyring, kid);
  const version = wrapVersion(record);
  const raw = cipher.open(wrapped.slice(version.length + 1), wrapContext(version, kid, id, ownerId));
  if (raw.length !== keyBytes) throw new VaultError("malformed");
  return raw;
}

function wrapVersion({ wrapped }: DataKeyRecord): WrapVersion {
  if (wrapped.startsWith("v1.")) return "v1";
  if (wrapped.startsWith("v2.")) return "v2";
  throw new VaultError(/^v\d+\./.test(wrapped) ? "unsupported_version" : "malformed");
}

function wrapContext(version: WrapVersion, kid: string, id: string, ownerId: string): Uint8Array {
  return associatedData(`keyloan/data-key/${version}`, kid, id, ownerId);
}

function rootCipherOf(keyring: Keyring, kid: string): Cipher {
  const cipher = keyring[rootCipher](kid);
  if (cipher === undefined) throw new VaultError("unknown_root_key");
  return cipher;
}

function toDataKey(record: DataKeyRecord, raw: Uint8Array): DataKey {
  const { id, ownerId } = record;
  return { id, ownerId, promisesState: wrapVersion(record) === "v2", [dataCipher]: createCipher(raw) };
}
