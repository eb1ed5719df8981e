import { base64Of, decodeUtf8, integerTextOf, realOf } from "./cells.ts";
import { type Cell, type LibsqlDatabase, notLibsql } from "./pipeline.ts";
import { type DumpValue, realText } from "./values.ts";

/**
 * One letter for the type of a value, because the value itself does not show it: text is sent as bytes and an infinity
 * as NULL. `T` and `B` are text and blobs of more than `large` bytes.
 */
export function typeCodeSql(column: string, large: number): string {
  const long = (code: string) =>
    `CASE WHEN octet_length(${column})>${large} THEN '${code.toUpperCase()}' ELSE '${code}' END`;
  const real = `CASE WHEN ${column}=9e999 THEN '+' WHEN ${column}=-9e999 THEN '-' ELSE 'r' END`;
  return `CASE typeof(${column}) WHEN 'null' THEN 'n' WHEN 'integer' THEN 'i' WHEN 'real' THEN ${real} WHEN 'text' THEN ${long("t")} ELSE ${long("b")} END`;
}

/** The value: a number as it is, text as its bytes so that none is lost, and only the length of a large value. */
export function valueSql(column: string, large: number): string {
  const bytes = `CASE WHEN octet_length(${column})>${large} THEN octet_length(${column}) ELSE CAST(${column} AS BLOB) END`;
  return `CASE WHEN typeof(${column}) IN ('text','blob') THEN ${bytes} WHEN ${column}=9e999 OR ${column}=-9e999 THEN NULL ELSE ${column} END`;
}

/** The value for a type letter and its cell. @throws ProviderError when they do not match */
export function readValue(database: LibsqlDatabase, code: string, cell: Cell | undefined): DumpValue {
  switch (code) {
    case "n":
      return null;
    case "i": {
      const text = integerTextOf(database, cell);
      const value = Number(text);
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? value : { i: text };
    }
    case "r":
      return { r: realText(realOf(database, cell)) };
    case "+":
      return { r: "Infinity" };
    case "-":
      return { r: "-Infinity" };
    case "t":
      return readText(base64Of(database, cell));
    case "b":
      return { b: base64Of(database, cell) };
    case "T":
      return { T: Number(integerTextOf(database, cell)) };
    case "B":
      return { B: Number(integerTextOf(database, cell)) };
    default:
      throw notLibsql(database);
  }
}

function readText(base64: string): DumpValue {
  return decodeUtf8(Buffer.from(base64, "base64")) ?? { t: base64 };
}
