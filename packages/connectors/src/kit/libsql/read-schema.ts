import { showName } from "@keyloan/contract";
import { createTurns, type Turns } from "../turns.ts";
import { integerOf, onlyCellOf } from "./cells.ts";
import { readRows } from "./database.ts";
import { notFaithful } from "./errors.ts";
import { foldName, isOwnTable, mentionsLoadTable, quoteName } from "./names.ts";
import { type LibsqlDatabase, notLibsql } from "./pipeline.ts";
import { readHead, readKinds, type SchemaKinds, vectorMetaTable } from "./read-head.ts";
import { readShapes } from "./read-shapes.ts";
import { readSmallTable } from "./read-table.ts";
import { createSchemaBudget, definitionsMax, type SchemaBudget, settingsMax } from "./schema-budget.ts";
import { parseVirtualTable, type SearchKind, searchKindOf } from "./search-index.ts";
import { largeBytesOf, type TableShape } from "./table-shape.ts";
import { type DumpValue, isSmall, partBytes, placeValue, type SmallValue } from "./values.ts";

export const objectTypes = ["table", "index", "view", "trigger"] as const;

/** What a full-text index has in addition to its definition. */
export type SearchIndex = {
  readonly kind: Exclude<SearchKind, "unreadable">;
  readonly settings: readonly (readonly [SmallValue, SmallValue])[];
};

export type SchemaObject = {
  readonly type: (typeof objectTypes)[number];
  readonly name: string;
  /** The table of an index or a trigger; for a table or view, its own name. */
  readonly table: string;
  readonly sql: string;
  readonly search?: SearchIndex;
};

/** Everything that a database consists of, except the rows themselves. */
export type LibsqlSchema = {
  readonly userVersion: number;
  readonly applicationId: number;
  /** In the order in which they were made, without those that the database makes by itself. */
  readonly objects: readonly SchemaObject[];
  /** The tables whose rows are content, ordered by name. */
  readonly tables: readonly TableShape[];
  /** The table from whose numbers `AUTOINCREMENT` continues; absent if the database has none. */
  readonly sequences?: TableShape;
  /** Full-text indexes over rows of other tables, ordered by name. */
  readonly externalIndexes: readonly string[];
};

/**
 * Reads what the database consists of, up to a limit (`schema-budget.ts`), yielding to other work meanwhile.
 * @throws ProviderError `rejected` for a larger schema, and for anything that cannot be exported exactly, which the
 * message names
 */
export async function readSchema(database: LibsqlDatabase): Promise<LibsqlSchema> {
  const budget = createSchemaBudget(database);
  const head = await readHead(database);
  const turns = createTurns();
  const all = await readMaster(database, budget, turns);
  const known = await readKinds(database, budget);
  const searches = new Map<string, SearchIndex["kind"]>();
  for (const one of all) {
    if (known.kinds.get(one.name) !== "virtual") continue;
    searches.set(one.name, kindOf(database, known, one));
    await turns(one.sql.length);
  }
  const objects: SchemaObject[] = [];
  for (const one of await contentOf(database, known, searches, all, turns)) {
    const kind = searches.get(one.name);
    const search = kind === undefined ? undefined : await readSearch(database, known, one, kind, budget);
    objects.push(search === undefined ? one : { ...one, search });
  }
  const isExternal = ({ search }: SchemaObject) => search?.kind === "external";
  const names = objects.filter((one) => one.type === "table" && !isExternal(one)).map(({ name }) => name);
  return {
    userVersion: head.userVersion,
    applicationId: head.applicationId,
    objects,
    tables: (await readShapes(database, names, budget)).toSorted(byName),
    ...(known.kinds.has(sequenceShape.name) ? { sequences: sequenceShape } : {}),
    externalIndexes: objects
      .filter(isExternal)
      .map(({ name }) => name)
      .toSorted(),
  };
}

/** Orders by name in the same way on every machine, whatever its language. */
export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** The beginning of an object's line in the hash of a schema; no two objects have the same. */
export function objectKey({ type, name }: Pick<SchemaObject, "type" | "name">): string {
  return JSON.stringify([type, name]);
}

const masterShape: TableShape = {
  name: "sqlite_schema",
  columns: ["type", "name", "tbl_name", "sql"],
  rowId: { name: "rowid", kept: false },
  key: [],
};

const sequenceShape: TableShape = {
  name: "sqlite_sequence",
  columns: ["name", "seq"],
  rowId: { name: "rowid", kept: false },
  key: [],
};

/** Everything that a statement has made. What has no SQL was made by the database itself. */
async function readMaster(
  database: LibsqlDatabase,
  budget: SchemaBudget,
  turns: Turns,
): Promise<readonly SchemaObject[]> {
  const rows = await readSmallTable(database, masterShape, { budget, rowsMax: definitionsMax });
  const keys = new Set<string>();
  const all: SchemaObject[] = [];
  for (const row of rows) {
    const one = definitionOf(database, row);
    if (one === undefined) continue;
    if (keys.size === keys.add(objectKey(one)).size) {
      throw notFaithful(
        database.provider,
        `there are two definitions of the ${one.type} ${showName(one.name)}`,
      );
    }
    all.push(one);
    await turns(one.name.length);
  }
  return all;
}

function definitionOf(
  { provider }: LibsqlDatabase,
  [type, name, table, sql]: readonly DumpValue[],
): SchemaObject | undefined {
  if (sql === null) return undefined;
  const known = objectTypes.find((one) => one === type);
  if (
    known !== undefined &&
    typeof name === "string" &&
    typeof table === "string" &&
    typeof sql === "string"
  ) {
    return { type: known, name, table, sql };
  }
  const shown = typeof name === "string" ? showName(name) : "something";
  const bytes = sql === undefined ? undefined : partBytes(sql);
  const why = bytes === undefined ? "is not UTF-8" : `is longer than ${largeBytesOf(masterShape) / 1024} KB`;
  throw notFaithful(provider, `the definition of ${shown} ${why}`);
}

/** Why a definition that contains the name of a table of ours is not copied. */
export const mentions = ({ type, name }: Pick<SchemaObject, "type" | "name">): string =>
  `the ${type} ${showName(name)} names a table that Keyloan makes while it copies`;

/** What the app has made: neither SQLite's internal tables nor the tables behind an index. */
async function contentOf(
  { provider }: LibsqlDatabase,
  { vectorIndexes }: SchemaKinds,
  searches: ReadonlyMap<string, SearchIndex["kind"]>,
  all: readonly SchemaObject[],
  turns: Turns,
): Promise<readonly SchemaObject[]> {
  const behind = new Set<string>();
  for (const { type, name } of all) {
    if (type !== "index" || !vectorIndexes.has(name)) continue;
    for (const part of ["shadow", "shadow_idx"]) behind.add(foldName(`${name}_${part}`));
    await turns(name.length);
  }
  for (const [name, kind] of searches) {
    for (const part of behindSearch[kind]) behind.add(foldName(`${name}_${part}`));
    await turns(behindSearch[kind].length * name.length);
  }
  // `sqlite_schema` lists the table of a trigger as the trigger spells it.
  const isInternal = (spelled: string) => {
    const name = foldName(spelled);
    return name.startsWith("sqlite_") || name === vectorMetaTable || behind.has(name) || isOwnTable(name);
  };
  const content: SchemaObject[] = [];
  for (const one of all) {
    const { type, name, table } = one;
    if (type === "table" && name === "libsql_wasm_func_table") {
      throw notFaithful(provider, "it has functions of its own in WebAssembly");
    }
    await turns(name.length + table.length);
    if (isInternal(name)) continue;
    if (isInternal(table)) {
      throw notFaithful(
        provider,
        `the ${type} ${showName(name)} is on the internal table ${showName(table)}`,
      );
    }
    if (mentionsLoadTable(one.sql)) throw notFaithful(provider, mentions(one));
    content.push(one);
  }
  return content;
}

// If the index has its text elsewhere, a table with the fifth name, `content`, is the app's own.
const behindSearch: Readonly<Record<SearchIndex["kind"], readonly string[]>> = {
  own: ["data", "idx", "docsize", "config", "content"],
  external: ["data", "idx", "docsize", "config"],
};

function kindOf(
  { provider }: LibsqlDatabase,
  { kinds }: SchemaKinds,
  { name, sql }: SchemaObject,
): SearchIndex["kind"] {
  const virtual = parseVirtualTable(sql);
  if (virtual?.module !== "fts5") {
    const module = showName(virtual?.module ?? "unknown");
    throw notFaithful(provider, `the virtual table ${showName(name)} uses the module ${module}`);
  }
  const kind = searchKindOf(virtual.args);
  if (kind !== "unreadable" && (kind === "external" || kinds.has(`${name}_content`))) return kind;
  throw notFaithful(provider, `the full-text index ${showName(name)} does not keep its text`);
}

async function readSearch(
  database: LibsqlDatabase,
  { kinds }: SchemaKinds,
  { name }: SchemaObject,
  kind: SearchIndex["kind"],
  budget: SchemaBudget,
): Promise<SearchIndex> {
  if (kind === "external") await checkCovered(database, kinds, name);
  const key = [{ column: "k", collation: "BINARY" }];
  const config = { name: `${name}_config`, columns: ["k", "v"], key };
  const rows = await readSmallTable(database, config, { budget, rowsMax: settingsMax });
  const settings = rows
    .filter(([key]) => key !== "version")
    .map(([key = null, value = null]) => {
      if (isPlain(key) && isPlain(value)) return [key, value] as const;
      throw notFaithful(database.provider, `a setting of the full-text index ${showName(name)}`);
    });
  return { kind, settings };
}

/** Whether a value is a text or a number: no setting of an index can be anything else. */
function isPlain(value: DumpValue): value is SmallValue {
  return (
    isSmall(value) &&
    placeValue(value).sql === "?" &&
    !(typeof value === "object" && value !== null && "b" in value)
  );
}

/** A rebuilt index covers every row of its table, so an index that covers fewer rows cannot be copied exactly. */
async function checkCovered(
  database: LibsqlDatabase,
  kinds: ReadonlyMap<string, string>,
  name: string,
): Promise<void> {
  const index = `the full-text index ${showName(name)}`;
  if (!kinds.has(`${name}_docsize`)) {
    throw notFaithful(database.provider, `${index} does not show what it covers (columnsize=0)`);
  }
  const [documents, rows] = await readRows(
    database,
    [`SELECT count(*) FROM ${quoteName(`${name}_docsize`)}`, `SELECT count(*) FROM ${quoteName(name)}`],
    `counting ${index}`,
  );
  if (documents === undefined || rows === undefined) throw notLibsql(database);
  if (integerOf(database, onlyCellOf(documents)) === integerOf(database, onlyCellOf(rows))) return;
  throw notFaithful(database.provider, `${index} does not cover the same rows as its table`);
}
