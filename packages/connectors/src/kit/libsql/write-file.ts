import { open, rm } from "node:fs/promises";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { ProviderError } from "@keyloan/contract";
import type { DumpDefinition, DumpTable } from "./dump-format.ts";
import { type FinishingStep, finishingSteps } from "./finish-load.ts";
import { partsTable, quoteName, showName } from "./names.ts";
import { readDump } from "./read-dump.ts";
import { type DumpValue, partBytes } from "./values.ts";

/**
 * Makes a SQLite file of a dump, readable by its owner alone. What only libSQL knows of its indexes, those over
 * vectors, is left out; the vectors are there.
 * @throws ProviderError `rejected` for a dump that is cut short or altered, or that SQLite cannot hold; the file is
 * removed then. The system's error when the path exists or cannot be written, such as ENOSPC
 */
export async function writeFile(
  provider: string,
  dump: AsyncIterable<Uint8Array>,
  path: string,
): Promise<void> {
  await (await open(path, "wx", 0o600)).close();
  try {
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(path, { enableForeignKeyConstraints: false });
    try {
      await fill(provider, database, dump);
    } finally {
      database.close();
    }
  } catch (error) {
    await Promise.all(
      ["", "-journal", "-wal", "-shm"].map((suffix) => rm(`${path}${suffix}`, { force: true })),
    );
    throw error;
  }
}

async function fill(
  provider: string,
  database: DatabaseSync,
  dump: AsyncIterable<Uint8Array>,
): Promise<void> {
  const definitions: DumpDefinition[] = [];
  let made = 0;
  let insert: Insert = () => {};
  let parts: Buffer[] = [];
  const makeTables = () => {
    for (; made < definitions.length; made++) makeTable(provider, database, definitions[made]);
  };
  // The file is new: after a failure there is no file, so nothing has to be kept of half a change.
  database.exec("PRAGMA synchronous=OFF; BEGIN");
  for await (const records of readDump(provider, dump)) {
    for (const record of records) {
      if (record.kind === "head") {
        const { userVersion, applicationId } = record.head;
        database.exec(`PRAGMA user_version=${userVersion}; PRAGMA application_id=${applicationId}`);
      } else if (record.kind === "definition") definitions.push(record.definition);
      else if (record.kind === "part") parts.push(Buffer.from(record.base64, "base64"));
      else if (record.kind === "table") {
        makeTables();
        insert = openInsert(provider, database, record.table);
      } else {
        insert(record.values, parts);
        parts = [];
      }
    }
  }
  makeTables();
  for (const step of finishingSteps(definitions).flat()) finish(provider, database, step);
  database.exec("COMMIT");
}

type Insert = (values: readonly DumpValue[], parts: readonly Buffer[]) => void;

function makeTable(provider: string, database: DatabaseSync, definition: DumpDefinition | undefined): void {
  if (definition?.type !== "table") return;
  const what = `the definition of the table ${showName(definition.name)}`;
  named(provider, what, () => database.exec(definition.sql));
}

function openInsert(provider: string, database: DatabaseSync, table: DumpTable): Insert {
  if (table.name === "sqlite_sequence") {
    // Counted, so that the table is there even when nothing else is.
    database.exec(`CREATE TABLE ${partsTable}(id INTEGER PRIMARY KEY AUTOINCREMENT)`);
    database.exec("DELETE FROM sqlite_sequence");
  }
  const columns = [...(table.rowId === undefined ? [] : [table.rowId]), ...table.columns.map(quoteName)];
  const prepare = (marks: readonly string[]) =>
    database.prepare(`INSERT INTO ${quoteName(table.name)}(${columns.join(",")}) VALUES(${marks.join(",")})`);
  const what = `a row of the table ${showName(table.name)}`;
  let usual: StatementSync | undefined;
  return (values, parts) => {
    const waiting = [...parts];
    const bound = values.map((value) => bind(value, waiting));
    named(provider, what, () => {
      const isUsual = bound.every(({ isText }) => !isText);
      const marks = bound.map(({ isText }) => (isText ? "CAST(? AS TEXT)" : "?"));
      if (isUsual) usual ??= prepare(marks);
      const statement = isUsual && usual !== undefined ? usual : prepare(marks);
      statement.run(...bound.map(({ input }) => input));
    });
  };
}

/** @returns what is bound, and whether these bytes are text, which only SQL can say */
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

function finish(provider: string, database: DatabaseSync, { sql, values = [], what }: FinishingStep): void {
  named(provider, what, () => {
    try {
      database.prepare(sql).run(...values.map((value) => bind(value, []).input));
    } catch (error) {
      // Only libSQL has indexes over vectors; it makes them of what is in the table.
      if (!(error instanceof Error && error.message.includes("libsql_vector_idx"))) throw error;
    }
  });
}

/** SQLite's error 13, SQLITE_FULL: https://www.sqlite.org/rescode.html#full */
const isFull = (error: unknown) => error instanceof Error && "errcode" in error && error.errcode === 13;

/** SQLite's own words may hold a value, so they go no further. */
function named(provider: string, what: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    if (isFull(error)) throw Object.assign(new Error("the disk is full"), { code: "ENOSPC" });
    throw new ProviderError(provider, "rejected", `has something that a SQLite file cannot hold: ${what}`, {
      remedy:
        "Download is not possible as a SQLite file; move this database to another of the same kind instead.",
    });
  }
}
