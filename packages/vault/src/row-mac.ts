import { createHmac, timingSafeEqual } from "node:crypto";
import { type DataKey, dataCipher } from "./data-key.ts";

/** A row as it is stored; the column `mac` is what the others are proven by. */
export type MacRow = Readonly<Record<string, string | number | boolean | null>>;

/**
 * The proof that whoever holds the data key wrote a row: HMAC-SHA256 over the table, the key's owner and all
 * columns but `mac`, under a key derived from the data key for this alone. Who can write the store cannot make it.
 * @throws VaultError `key_closed`
 */
export function rowMac(key: DataKey, table: string, row: MacRow): string {
  const columns = Object.entries(row)
    .filter(([name]) => name !== "mac")
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const derived = key[dataCipher].deriveKey("keyloan/row-mac/v1");
  const mac = createHmac("sha256", derived)
    .update(JSON.stringify([table, key.ownerId, columns]), "utf8")
    .digest("hex");
  derived.fill(0);
  return `m1_${mac}`;
}

/** Whether a row's column `mac` is the one that {@link rowMac} gives for it. @throws VaultError `key_closed` */
export function isAuthenticRow(key: DataKey, table: string, row: MacRow): boolean {
  const expected = Buffer.from(rowMac(key, table, row));
  const found = Buffer.from(typeof row.mac === "string" ? row.mac : "");
  return found.length === expected.length && timingSafeEqual(found, expected);
}
