import type { SQLInputValue } from "node:sqlite";
import type { DumpDefinition, DumpTable } from "../dump-format.ts";
import { type FinishingStep, finishingSteps } from "../finish-load.ts";
import { partsTable, quoteName } from "../names.ts";
import { readDump } from "../read-dump.ts";
import { parseVirtualTable, searchCopiesOf } from "../search-index.ts";
import { type DumpValue, partBytes } from "../values.ts";
import { RefusedFile } from "./answers.ts";
import { fileBytesFor } from "./file-limits.ts";
import type { Step } from "./guard.ts";
import { openWall, stepOf, type Wall } from "./wall.ts";

/**
 * Makes a SQLite file from a dump. Indexes over vectors, which only libSQL has, are left out; the vectors themselves
 * are kept.
 * @param path an empty file
 * @param onStep called with each step before it begins
 * @throws RefusedFile
 */
export async function fillFile(
  path: string,
  dump: AsyncIterable<Uint8Array>,
  onStep: (step: Step) => void,
): Promise<void> {
  const wall = openWall(path);
  const filling: Filling = {
    wall,
    onStep,
    definitions: [],
    tables: new Set(),
    made: 0,
    bytes: 0,
    indexesMax: 0,
    searchCopies: 0,
  };
  try {
    await fill(filling, counted(filling, dump));
    wall.finish();
  } finally {
    wall.close();
  }
}

type Filling = {
  readonly wall: Wall;
  readonly onStep: (step: Step) => void;
  readonly definitions: DumpDefinition[];
  /** The tables that were made, which may have rows. */
  readonly tables: Set<string>;
  made: number;
  /** The bytes of the dump that were read so far. */
  bytes: number;
  /** The number of indexes of the table that has most. */
  indexesMax: number;
  /** How many copies of their text all full-text indexes hold together. */
  searchCopies: number;
};

async function* counted(filling: Filling, dump: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of dump) {
    filling.bytes += chunk.length;
    yield chunk;
  }
}

async function fill(filling: Filling, dump: AsyncIterable<Uint8Array>): Promise<void> {
  const { wall, definitions } = filling;
  let insert: Insert = () => {};
  let parts: Buffer[] = [];
  for await (const records of readDump((dump) => new RefusedFile({ dump }), dump)) {
    allowFile(filling);
    for (const record of records) {
      if (record.kind === "head") {
        const { userVersion, applicationId } = record.head;
        wall.own(`PRAGMA user_version=${userVersion}`);
        wall.own(`PRAGMA application_id=${applicationId}`);
      } else if (record.kind === "definition") {
        definitions.push(record.definition);
        filling.searchCopies += copiesOf(record.definition);
      } else if (record.kind === "part") parts.push(Buffer.from(record.base64, "base64"));
      else if (record.kind === "table") {
        makeTables(filling);
        insert = openInsert(filling, record.table);
      } else {
        insert(record.values, parts);
        parts = [];
      }
    }
  }
  makeTables(filling);
  allowFile(filling);
  for (const step of finishingSteps(definitions).flat()) finish(filling, step);
}

function allowFile({ wall, bytes, indexesMax, searchCopies }: Filling): void {
  wall.allowFile(fileBytesFor(bytes, indexesMax + searchCopies));
}

function makeTables(filling: Filling): void {
  const { wall, definitions, tables } = filling;
  for (; filling.made < definitions.length; filling.made++) {
    const definition = definitions[filling.made];
    if (definition?.type !== "table") continue;
    filling.onStep(stepOf(definition));
    wall.define(definition);
    tables.add(definition.name);
  }
}

function copiesOf({ sql, search }: DumpDefinition): number {
  return search === undefined ? 0 : searchCopiesOf(parseVirtualTable(sql)?.args ?? []);
}

type Insert = (values: readonly DumpValue[], parts: readonly Buffer[]) => void;

const marksKeptMax = 50;

function openInsert(filling: Filling, table: DumpTable): Insert {
  const { wall, tables, definitions, onStep } = filling;
  const { name } = table;
  const step = { kind: "rows", name, table: name } as const;
  onStep(step);
  if (name === "sqlite_sequence") {
    // AUTOINCREMENT makes SQLite create `sqlite_sequence`, even if no table of the dump uses it.
    wall.own(`CREATE TABLE ${partsTable}(id INTEGER PRIMARY KEY AUTOINCREMENT)`);
    wall.own("DELETE FROM sqlite_sequence");
  } else if (!tables.has(name)) throw new RefusedFile({ dump: "altered" });
  // A column without a value would get its default, an expression that the authorizer does not check.
  if (wall.columnsOf(name).join("\0") !== table.columns.join("\0"))
    throw new RefusedFile({ dump: "altered" });
  const indexes = definitions.filter((one) => one.type === "index" && one.table === name).length;
  filling.indexesMax = Math.max(filling.indexesMax, indexes + wall.keysOf(name));
  const columns = [...(table.rowId === undefined ? [] : [table.rowId]), ...table.columns.map(quoteName)];
  const start = `INSERT INTO ${quoteName(name)}(${columns.join(",")}) VALUES`;
  const prepared = new Map<string, ReturnType<Wall["prepare"]>>();
  return (values, parts) => {
    const waiting = [...parts];
    const bound = values.map((value) => bind(value, waiting));
    wall.allowValue(bound.reduce((bytes, { input }) => bytes + bytesOf(input), 0));
    const marks = bound.map(({ isText }) => (isText ? "CAST(? AS TEXT)" : "?")).join(",");
    const run = prepared.get(marks) ?? wall.prepare(step, `${start}(${marks})`);
    if (prepared.size < marksKeptMax) prepared.set(marks, run);
    run(bound.map(({ input }) => input));
  };
}

/** @returns the value to bind, and whether its bytes are text, which only a cast in the SQL can express */
function bind(value: DumpValue, parts: Buffer[]): { readonly input: SQLInputValue; readonly isText?: true } {
  if (value === null || typeof value === "string") return { input: value };
  if (typeof value === "number") return { input: BigInt(value) };
  if ("i" in value) return { input: BigInt(value.i) };
  if ("r" in value) return { input: Number(value.r) };
  if ("b" in value) return { input: Buffer.from(value.b, "base64") };
  if ("t" in value) return { input: Buffer.from(value.t, "base64"), isText: true };
  const taken: Buffer[] = [];
  for (let missing = partBytes(value) ?? 0; missing > 0 && parts.length > 0; ) {
    const [part = Buffer.alloc(0)] = parts.splice(0, 1);
    missing -= part.length;
    taken.push(part);
  }
  return { input: Buffer.concat(taken), ...("T" in value ? { isText: true } : {}) };
}

function bytesOf(input: SQLInputValue): number {
  if (typeof input === "string") return 3 * input.length;
  return input instanceof Uint8Array ? input.length : 8;
}

function finish(filling: Filling, { sql, values = [], does }: FinishingStep): void {
  const { wall, onStep } = filling;
  if (does === undefined) wall.own(sql);
  else if (does.kind === "define") defineLate(filling, does.definition);
  else {
    const { name } = does.definition;
    const step = { kind: "rebuild", name, table: name } as const;
    onStep(step);
    wall.prepare(step, sql)(values.map((value) => bind(value, []).input));
  }
}

function defineLate({ wall, onStep }: Filling, definition: DumpDefinition): void {
  onStep(stepOf(definition));
  try {
    wall.define(definition);
  } catch (error) {
    // Only libSQL has indexes over vectors; it can build them again from the table.
    const isVectorIndex = error instanceof RefusedFile && error.uses === "libsql_vector_idx";
    if (definition.type !== "index" || !isVectorIndex) throw error;
  }
}
