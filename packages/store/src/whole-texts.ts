import { isUtf8 } from "node:buffer";

/** What the engine returns for a column of a statement that {@link asWholeTexts} made. */
export type Stored = number | bigint | string | Uint8Array | null;

/**
 * The same query, but with every text as its bytes. If the engine reads a text, it cuts it at its first NUL, so SQL
 * would compare another text than a MAC or a hash proves here; and a text that is not UTF-8 ends the whole process
 * (tursodatabase/libsql issue 1223). Anyone who can write to the file can store both. No column of ours holds bytes:
 * stored bytes are returned as the word `blob`.
 *
 * A statement that changes rows and returns some is not changed.
 */
export function asWholeTexts(sql: string, columnCount: number): string {
  if (!/^\s*(?:select|with)\b/i.test(sql)) return sql;
  const names = Array.from({ length: columnCount }, (_, index) => `c${index}`);
  const values = names.map(
    (name) =>
      `CASE typeof(${name}) WHEN 'text' THEN CAST(${name} AS BLOB) WHEN 'blob' THEN 'blob' ELSE ${name} END`,
  );
  return `WITH stored(${names.join(",")}) AS (${sql}) SELECT ${values.join(",")} FROM stored`;
}

const notText = new Uint8Array();

/** A number, null or a complete text. Anything else becomes empty bytes, which no reader of ours takes for a value. */
export function toValue(stored: Stored): unknown {
  if (!(stored instanceof Uint8Array)) return typeof stored === "string" ? notText : stored;
  return isUtf8(stored) ? asBuffer(stored).toString() : notText;
}

/** The same for showing it to people: invalid UTF-8 is replaced. */
export const toText = (stored: Stored): unknown =>
  stored instanceof Uint8Array ? asBuffer(stored).toString() : stored;

const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
