import { isUtf8 } from "node:buffer";

/** What the engine gives for a column of a statement of {@link asWholeTexts}. */
export type Stored = number | bigint | string | Uint8Array | null;

/**
 * The same query, with every text as its bytes. The engine's own reading ends a text at its first NUL, so that SQL
 * compares another text than a MAC or a hash proves here; and it ends the whole process at one that is no UTF-8
 * (tursodatabase/libsql issue 1223). Whoever writes to the file can store both. No column of ours holds bytes: of those
 * the word stands in their place.
 *
 * A statement that changes rows and returns some is left as it is.
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

/** A number, null or a whole text; of what is neither, bytes, which no reader of ours takes for a value. */
export function toValue(stored: Stored): unknown {
  if (!(stored instanceof Uint8Array)) return typeof stored === "string" ? notText : stored;
  return isUtf8(stored) ? asBuffer(stored).toString() : notText;
}

/** The same for people: bytes that are no UTF-8 are shown as replaced. */
export const toText = (stored: Stored): unknown =>
  stored instanceof Uint8Array ? asBuffer(stored).toString() : stored;

const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
