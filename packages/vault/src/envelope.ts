import { Secret, type SecretValues } from "@keyloan/contract";
import { associatedData } from "./associated-data.ts";
import { type DataKey, dataCipher, dataKeyIdPattern } from "./data-key.ts";
import { VaultError } from "./vault-error.ts";

/** The context that a sealed text is bound to. The text does not contain it: the row it belongs to does. */
export type SealContext = {
  /** What the value is for, for instance `lease-env`. */
  readonly purpose: string;
  readonly ownerId: string;
  /** The row and column, or field, for instance a lease id. */
  readonly field: string;
};

type Kind = "text" | "bytes" | "values";

const version = "v1";
export const plaintextBytesMax = 1024 * 1024;
// Base64url of the largest plaintext with nonce and tag, and room for the version and the data key id.
const envelopeLengthMax = Math.ceil(((plaintextBytesMax + 64) * 4) / 3) + 128;

/**
 * Seals one secret.
 * @throws VaultError `wrong_owner`, `bad_context`, `too_large`, `not_text` or `key_closed`
 */
export function sealValue(key: DataKey, context: SealContext, value: Secret): string {
  const text = value.reveal();
  if (!text.isWellFormed()) throw new VaultError("not_text");
  return sealText(key, "text", context, text);
}

/**
 * Opens what {@link sealValue} returned.
 * @throws VaultError if the key, owner, purpose or field differs, or the text was altered
 */
export function openValue(key: DataKey, context: SealContext, envelope: string): Secret {
  return Secret.of(openText(key, "text", context, envelope));
}

/** Seals raw bytes. @throws VaultError as {@link sealValue} */
export function sealBytes(key: DataKey, context: SealContext, bytes: Uint8Array): string {
  return sealEnvelope(key, "bytes", context, bytes);
}

/** Opens what {@link sealBytes} returned; overwrite the result when done. @throws VaultError as {@link openValue} */
export function openBytes(key: DataKey, context: SealContext, envelope: string): Uint8Array {
  return openEnvelope(key, "bytes", context, envelope);
}

/**
 * Seals all values of one lease or credential together, so that opening them costs one decryption.
 * @throws VaultError as {@link sealValue}
 */
export function sealValues(key: DataKey, context: SealContext, values: SecretValues): string {
  const flat: string[] = [];
  for (const [name, value] of Object.entries(values)) flat.push(name, value.reveal());
  // JSON escapes halves of surrogate pairs, so every JavaScript string comes back as it was.
  return sealText(key, "values", context, JSON.stringify(flat));
}

/** Opens what {@link sealValues} returned, in the same order. @throws VaultError as {@link openValue} */
export function openValues(key: DataKey, context: SealContext, envelope: string): SecretValues {
  const flat = parseFlat(openText(key, "values", context, envelope));
  const entries: [string, Secret][] = [];
  for (let index = 0; index < flat.length; index += 2) {
    entries.push([flat[index] ?? "", Secret.of(flat[index + 1] ?? "")]);
  }
  return Object.fromEntries(entries);
}

/** @internal Give `nonce` for test vectors only. */
export function sealEnvelope(
  key: DataKey,
  kind: Kind,
  context: SealContext,
  plaintext: Uint8Array,
  nonce?: Uint8Array,
): string {
  if (plaintext.length > plaintextBytesMax) throw new VaultError("too_large");
  return `${version}.${key.id}.${key[dataCipher].seal(plaintext, envelopeContext(key, kind, context), nonce)}`;
}

function openEnvelope(key: DataKey, kind: Kind, context: SealContext, envelope: string): Uint8Array {
  if (envelope.length > envelopeLengthMax) throw new VaultError("malformed");
  const idStart = envelope.indexOf(".") + 1;
  const idEnd = envelope.indexOf(".", idStart);
  const dataKeyId = envelope.slice(idStart, idEnd);
  if (idEnd === -1 || !dataKeyIdPattern.test(dataKeyId)) throw new VaultError("malformed");
  if (envelope.slice(0, idStart - 1) !== version) throw new VaultError("unsupported_version");
  if (dataKeyId !== key.id) throw new VaultError("wrong_data_key");
  return key[dataCipher].open(envelope.slice(idEnd + 1), envelopeContext(key, kind, context));
}

function envelopeContext(key: DataKey, kind: Kind, { purpose, ownerId, field }: SealContext): Uint8Array {
  if (ownerId !== key.ownerId) throw new VaultError("wrong_owner");
  return associatedData(`keyloan/${kind}/${version}`, key.id, purpose, ownerId, field);
}

function sealText(key: DataKey, kind: Kind, context: SealContext, text: string): string {
  if (text.length > plaintextBytesMax) throw new VaultError("too_large");
  const plaintext = Buffer.from(text);
  try {
    return sealEnvelope(key, kind, context, plaintext);
  } finally {
    plaintext.fill(0);
  }
}

function openText(key: DataKey, kind: Kind, context: SealContext, envelope: string): string {
  const plaintext = openEnvelope(key, kind, context, envelope);
  // Not TextDecoder: it would drop a byte order mark that belongs to the value.
  const text = Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength).toString("utf8");
  plaintext.fill(0);
  return text;
}

/** The cast holds: only {@link sealValues} seals under the kind `values`, and what it sealed is authenticated. */
function parseFlat(text: string): readonly string[] {
  return JSON.parse(text) as readonly string[];
}
