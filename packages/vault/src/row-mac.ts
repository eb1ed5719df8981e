import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import { type DataKey, dataCipher } from "./data-key.ts";

/** A row as it is stored; the column `mac` proves the others. */
export type MacRow = Readonly<Record<string, string | number | boolean | null>>;

/**
 * Proves that a holder of the data key wrote a row: HMAC-SHA256 over the table, the key's owner and all columns but
 * `mac`, under a key derived from the data key for this purpose only. Write access to the store does not suffice.
 * @throws VaultError `key_closed`
 */
export function rowMac(key: DataKey, table: string, row: MacRow): string {
  const columns = Object.entries(row)
    .filter(([name]) => name !== "mac")
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createRowMac(key)(table, columns);
}

/** Proves the columns of a row, in the order of their names, as {@link rowMac} does. */
export type RowMac = (
  table: string,
  columns: readonly (readonly [name: string, value: MacRow[string]])[],
) => string;

const knownMax = 20_000;
/** Larger rows, such as jobs with a payload, are read too rarely to keep their MACs. */
const knownTextMax = 1_000;

/**
 * {@link rowMac} for many rows; the data key may be closed afterwards. Keeps MACs in memory, because each request
 * reads the same few rows. None of them holds a secret.
 * @throws VaultError `key_closed`
 */
export function createRowMac(key: DataKey): RowMac {
  const { ownerId } = key;
  const hmacKey = deriveHmacKey(key, "keyloan/row-mac/v1");
  const known = new Map<string, string>();
  return (table, columns) => {
    const text = JSON.stringify([table, ownerId, columns]);
    const before = known.get(text);
    if (before !== undefined) return before;
    const mac = `m1_${createHmac("sha256", hmacKey).update(text, "utf8").digest("hex")}`;
    if (known.size >= knownMax) known.clear();
    if (text.length <= knownTextMax) known.set(text, mac);
    return mac;
  };
}

/**
 * Proves hashes: HMAC-SHA256, base64url, under a key derived from the data key for this purpose only. The data key may
 * be closed afterwards.
 * @throws VaultError `key_closed`
 */
export function createHashMac(key: DataKey): (hash: string) => string {
  const hmacKey = deriveHmacKey(key, "keyloan/hash-mac/v1");
  return (hash) => createHmac("sha256", hmacKey).update(hash, "utf8").digest("base64url");
}

function deriveHmacKey(key: DataKey, label: string): KeyObject {
  const derived = key[dataCipher].deriveKey(label);
  const hmacKey = createSecretKey(derived);
  derived.fill(0);
  return hmacKey;
}

/** Whether a row's column `mac` is what {@link rowMac} returns for it. @throws VaultError `key_closed` */
export function isAuthenticRow(key: DataKey, table: string, row: MacRow): boolean {
  const expected = Buffer.from(rowMac(key, table, row));
  const found = Buffer.from(typeof row.mac === "string" ? row.mac : "");
  return found.length === expected.length && timingSafeEqual(found, expected);
}
