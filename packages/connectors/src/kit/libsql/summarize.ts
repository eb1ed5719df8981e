import { createHash, type Hash } from "node:crypto";
import type { DatabaseSummary, OnProgress, TableSummary } from "@keyloan/contract";
import { createTurns } from "../turns.ts";
import { textOf } from "./cells.ts";
import { joinTerms } from "./join-terms.ts";
import { quoteName } from "./names.ts";
import { type LibsqlDatabase, notLibsql } from "./pipeline.ts";
import { readPages, readParts, strangeTable } from "./read-pages.ts";
import { byName, type LibsqlSchema, objectKey, readSchema, type SchemaObject } from "./read-schema.ts";
import { largeBytesOf, type TableShape } from "./table-shape.ts";
import { realText } from "./values.ts";

/**
 * Summarizes a database, row by row. Unlike a dump, it reads every value as text that the server writes: bytes in
 * hexadecimal, reals with 21 digits. So if one of the two ways loses something, the other shows it.
 */
export async function summarize(database: LibsqlDatabase, onProgress?: OnProgress): Promise<DatabaseSummary> {
  const schema = await readSchema(database);
  const progress = { rows: 0, bytes: 0 };
  const sum = (shape: TableShape) => sumTable(database, shape, progress, onProgress);
  const tables: TableSummary[] = [];
  for (const shape of schema.tables) tables.push(await sum(shape));
  for (const name of schema.externalIndexes) tables.push({ ...(await sum(documentsShape(name))), name });
  const sequences = schema.sequences === undefined ? undefined : await sum(schema.sequences);
  return {
    schemaSha256: await hashSchema(schema, sequences),
    tables: tables.toSorted(byName),
  };
}

/** The table in which a full-text index stores, for each row, how many words each column has. */
function documentsShape(index: string): TableShape {
  return { name: `${index}_docsize`, columns: ["id", "sz"], rowId: { name: "rowid", kept: false }, key: [] };
}

async function hashSchema(schema: LibsqlSchema, sequences: TableSummary | undefined): Promise<string> {
  const { userVersion, applicationId, objects } = schema;
  const counted = sequences === undefined || sequences.rows === 0 ? null : sequences.sha256;
  const hash = createHash("sha256").update(`${JSON.stringify([userVersion, applicationId, counted])}\n`);
  // The lines must be in the order of their texts, which is that of their keys. Only one line is held at a time.
  const keyed: (SchemaObject & { readonly key: string })[] = [];
  const turns = createTurns();
  for (const one of objects) {
    keyed.push({ ...one, key: objectKey(one) });
    await turns(one.name.length);
  }
  const sorted = keyed.toSorted(byKey);
  for (const [index, { type, name, table, sql, search }] of sorted.entries()) {
    if (index > 0) hash.update("\n");
    hash.update(JSON.stringify([type, name, table, sql, search?.settings ?? null]));
    await turns(sql.length);
  }
  return hash.digest("hex");
}

function byKey(a: { readonly key: string }, b: { readonly key: string }): number {
  return a.key < b.key ? -1 : 1;
}

async function sumTable(
  database: LibsqlDatabase,
  shape: TableShape,
  progress: { rows: number; bytes: number },
  onProgress: OnProgress | undefined,
): Promise<TableSummary> {
  const hash = createHash("sha256").update(JSON.stringify(shape.columns));
  let rows = 0;
  for await (const page of readPages(database, shape, [rowSql(shape)])) {
    for (const { place, cells } of page) {
      const text = textOf(database, cells[0]);
      hash.update("\n");
      if (largePattern.test(text)) await hashLargeRow(database, shape, place, text, hash);
      else hash.update(text.includes("r") ? text.replaceAll(realPattern, shortReal) : text);
      progress.bytes += text.length;
    }
    rows += page.length;
    progress.rows += page.length;
    onProgress?.({ ...progress, item: shape.name });
  }
  return { name: shape.name, rows, sha256: hash.digest("hex") };
}

// A type letter is only at the beginning of a value: the rest is hexadecimal in capitals, or a number.
const largePattern = /(?:^|,)[TB]/;
const realPattern = /r([^,]+)/g;

/** Versions of SQLite write a real with different last digits, but they all stand for the same number. */
function shortReal(_match: string, text: string): string {
  if (text === "Inf" || text === "-Inf") return `r${text}`;
  const value = Number(text);
  // Not every version writes the sign of zero.
  return `r${realText(value === 0 ? 0 : value)}`;
}

/** One row as a line: for each value a letter for its type, and the value. */
function rowSql(shape: TableShape): string {
  const large = largeBytesOf(shape);
  const kept = shape.rowId?.kept === true ? [`'i'||${shape.rowId.name}`] : [];
  return joinTerms([...kept, ...shape.columns.map((column) => cellSql(quoteName(column), large))], "||','||");
}

function cellSql(column: string, large: number): string {
  const bytes = (letter: string) =>
    `CASE WHEN octet_length(${column})>${large} THEN '${letter.toUpperCase()}'||octet_length(${column}) ELSE '${letter}'||hex(${column}) END`;
  return `CASE typeof(${column}) WHEN 'null' THEN 'n' WHEN 'integer' THEN 'i'||printf('%lld',${column}) WHEN 'real' THEN 'r'||printf('%!.20e',${column}) WHEN 'text' THEN ${bytes("t")} ELSE ${bytes("b")} END`;
}

/** Hashes the same line as if no value in it were large, so the hash does not depend on that limit. */
async function hashLargeRow(
  database: LibsqlDatabase,
  shape: TableShape,
  place: Parameters<typeof readParts>[2]["place"],
  text: string,
  hash: Hash,
): Promise<void> {
  const values = text.split(",");
  const before = values.length - shape.columns.length;
  for (const [index, value] of values.entries()) {
    if (index > 0) hash.update(",");
    if (!/^[TB]/.test(value)) {
      hash.update(value.replaceAll(realPattern, shortReal));
      continue;
    }
    const column = shape.columns[index - before];
    const bytes = Number(value.slice(1));
    if (column === undefined || !Number.isSafeInteger(bytes)) throw notLibsql(database);
    hash.update(value.startsWith("T") ? "t" : "b");
    let seen = 0;
    for await (const cell of readParts(
      database,
      shape,
      { column, place, bytes },
      (slice) => `hex(${slice})`,
    )) {
      const part = textOf(database, cell);
      seen += part.length / 2;
      hash.update(part);
    }
    if (seen !== bytes) throw strangeTable(database, shape);
  }
}
