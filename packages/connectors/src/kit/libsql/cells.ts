import { trimEndOf } from "@keyloan/contract";
import { type Cell, type LibsqlDatabase, notLibsql, type Rows } from "./pipeline.ts";

type Provider = Pick<LibsqlDatabase, "provider">;

/** An integer of any size, in decimal. */
export function integerTextOf(database: Provider, cell: Cell | undefined): string {
  const text = String(cell?.value);
  if (cell?.type !== "integer" || !/^-?\d{1,19}$/.test(text)) throw notLibsql(database);
  return text;
}

/** An integer that JavaScript holds exactly. */
export function integerOf(database: Provider, cell: Cell | undefined): number {
  const value = Number(integerTextOf(database, cell));
  if (!Number.isSafeInteger(value)) throw notLibsql(database);
  return value;
}

export function textOf(database: Provider, cell: Cell | undefined): string {
  if (cell?.type !== "text" || typeof cell.value !== "string") throw notLibsql(database);
  return cell.value;
}

/** A finite number: JSON cannot express an infinity. */
export function realOf(database: Provider, cell: Cell | undefined): number {
  if (cell?.type !== "float" || typeof cell.value !== "number") throw notLibsql(database);
  return cell.value;
}

/** Base64 without padding. */
export function base64Of(database: Provider, cell: Cell | undefined): string {
  const text = cell?.type === "blob" && typeof cell.base64 === "string" ? cell.base64 : undefined;
  if (text === undefined || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw notLibsql(database);
  return trimEndOf(text, "=");
}

/** Text that was requested in hexadecimal, so that no byte of it is lost; `undefined` when it is not UTF-8. */
export function hexTextOf(database: Provider, cell: Cell | undefined): string | undefined {
  const hex = textOf(database, cell);
  if (!/^(?:[0-9A-F]{2})*$/.test(hex)) throw notLibsql(database);
  return decodeUtf8(Buffer.from(hex, "hex"));
}

/** `undefined` when the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The first value of the only row; `undefined` if there is not exactly one row. */
export function onlyCellOf(rows: Rows): Cell | undefined {
  return rows.length === 1 ? rows[0]?.[0] : undefined;
}

/** Whether an answer has exactly one row, which starts with this number. */
export function holdsInteger(rows: Rows, wanted: number): boolean {
  const cell = onlyCellOf(rows);
  return cell?.type === "integer" && Number(cell.value) === wanted;
}
