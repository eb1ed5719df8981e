import type { OnProgress } from "@keyloan/contract";
import { createTurns } from "../turns.ts";
import { base64Of } from "./cells.ts";
import { createDumpWriter, type DumpWriter } from "./dump-format.ts";
import type { LibsqlDatabase } from "./pipeline.ts";
import { readParts, strangeTable } from "./read-pages.ts";
import { readSchema, type SchemaObject } from "./read-schema.ts";
import { readTable, type TypedRow } from "./read-table.ts";
import type { TableShape } from "./table-shape.ts";
import { readValue } from "./typed-values.ts";
import { partBytes } from "./values.ts";

/**
 * Dumps a whole database. Holds its schema, up to a limit, and two pages of rows. Nothing may write to it meanwhile.
 * @throws ProviderError `rejected` for content that cannot be exported exactly
 */
export async function* dump(database: LibsqlDatabase, onProgress?: OnProgress): AsyncGenerator<Uint8Array> {
  const { userVersion, applicationId, objects, tables, sequences } = await readSchema(database);
  const writer = createDumpWriter();
  writer.line("h", { userVersion, applicationId });
  const turns = createTurns();
  for (const one of objects) {
    writer.line("s", definitionOf(one));
    yield* chunkOf(writer);
    await turns(one.sql.length);
  }
  for (const shape of [...tables, ...(sequences === undefined ? [] : [sequences])]) {
    yield* dumpTable(database, shape, writer, onProgress);
  }
  yield writer.end();
  onProgress?.({ rows: writer.rows(), bytes: writer.bytes() });
}

async function* dumpTable(
  database: LibsqlDatabase,
  shape: TableShape,
  writer: DumpWriter,
  onProgress: OnProgress | undefined,
): AsyncGenerator<Uint8Array> {
  const { name, columns, rowId } = shape;
  writer.line("t", { name, columns, ...(rowId?.kept === true ? { rowId: rowId.name } : {}) });
  for await (const page of readTable(database, shape)) {
    for (const row of page) {
      if (row.hasParts) {
        for await (const part of partsOf(database, shape, row)) {
          writer.line("p", part);
          yield* chunkOf(writer);
        }
      }
      const ids = rowId?.kept === true ? [readValue(database, "i", row.place[0])] : [];
      writer.line("r", [...ids, ...row.values]);
      yield* chunkOf(writer);
    }
    onProgress?.({ rows: writer.rows(), bytes: writer.bytes(), item: name });
  }
}

/** The parts of a row's large values, one value after the other, in base64. */
async function* partsOf(
  database: LibsqlDatabase,
  shape: TableShape,
  { place, values }: TypedRow,
): AsyncGenerator<string> {
  for (const [index, value] of values.entries()) {
    const bytes = partBytes(value);
    const column = shape.columns[index];
    if (bytes === undefined || column === undefined) continue;
    let seen = 0;
    for await (const cell of readParts(database, shape, { column, place, bytes }, (slice) => slice)) {
      const part = base64Of(database, cell);
      seen += Buffer.byteLength(part, "base64");
      yield part;
    }
    if (seen !== bytes) throw strangeTable(database, shape);
  }
}

function definitionOf({ type, name, table, sql, search }: SchemaObject) {
  return { type, name, table, sql, ...(search === undefined ? {} : { search }) };
}

function* chunkOf(writer: DumpWriter): Generator<Uint8Array> {
  const chunk = writer.take();
  if (chunk !== undefined) yield chunk;
}
