import { migrate } from "drizzle-orm/libsql/migrator";
import { type Connection, openConnection } from "./connection.ts";

/** Tables and indexes, triggers and views: what a store is built of. Only SQLite is asked here. */
export type StoreShape = {
  /** What one connection takes the file to be built of. */
  readonly load: (connection: Connection) => LoadedShape;
};

/**
 * The engine parses what the file is built of once and keeps it until the file's number of it is another. Whoever writes
 * to the file can have a trigger parsed, take its text away and leave the number: then it runs on in this connection
 * alone. So what was parsed is thrown away before it is compared, and the number is looked at at the beginning of each
 * transaction: in between the connection parses nothing.
 */
export type LoadedShape = {
  /** Whether the file's number is the one that was loaded, and what was loaded is sound. One statement. */
  readonly isCurrent: () => boolean;
  /**
   * Makes the connection go by what stands in the file now. The first thing in every transaction.
   * @throws what the engine throws
   */
  readonly refresh: () => void;
  /** Whether {@link refresh} found what the migrations make. */
  readonly isSound: () => boolean;
  /**
   * What differs from what the migrations make, in words that name it; `undefined` when nothing does. In a transaction.
   * @throws what the engine throws
   */
  readonly findDifference: () => string | undefined;
  /** The connection was used by others, outside of such transactions. */
  readonly forget: () => void;
};

const shapes = new Map<string, Promise<StoreShape>>();

/** The shape that the migrations of a folder make, found once in a process. @throws what the engine throws */
export function readStoreShape(migrationsFolder: string): Promise<StoreShape> {
  const known = shapes.get(migrationsFolder) ?? findShape(migrationsFolder);
  shapes.set(migrationsFolder, known);
  known.catch(() => shapes.delete(migrationsFolder));
  return known;
}

/** Runs them on an empty database in memory. */
async function findShape(migrationsFolder: string): Promise<StoreShape> {
  const empty = openConnection(":memory:", { lockWaitMs: 0 });
  try {
    await migrate(empty.database, { migrationsFolder });
    const expected = readParts(empty).text;
    return { load: (connection) => loadShape(connection, expected) };
  } finally {
    empty.close();
  }
}

function loadShape(connection: Connection, expected: string): LoadedShape {
  let loaded: (Parts & { readonly version: unknown }) | undefined;
  const isSound = () => loaded?.text === expected;
  const isAsLoaded = () => {
    const now = readParts(connection);
    return loaded?.text === now.text && loaded.roots === now.roots;
  };
  return {
    isCurrent: () => isSound() && connection.first`PRAGMA schema_version`[0] === loaded?.version,
    refresh: () => {
      const [version] = connection.first`PRAGMA schema_version`;
      // Of a shape that is another, parts can go and leave the number: what was parsed of them would stay.
      if (loaded?.version === version && (isSound() || isAsLoaded())) return;
      loaded = undefined;
      connection.runNow`PRAGMA writable_schema = RESET`;
      loaded = { ...readParts(connection), version };
    },
    isSound,
    findDifference: () => {
      const found = readParts(connection);
      if (found.text !== expected) return describeDifference(parse(expected), parse(found.text));
      // Under the old number the connection goes on with the place that it knows.
      if (loaded !== undefined && loaded.roots !== found.roots) return "changed place of a table or an index";
      return undefined;
    },
    forget: () => {
      loaded = undefined;
    },
  };
}

type Parts = {
  /** What {@link parse} reads. */
  readonly text: string;
  /** The pages that tables and indexes begin at, in the same order. */
  readonly roots: string;
};
type Part = readonly [type: string, name: string, of: string, text: string | null];

/**
 * One text of all: read as rows it would cost five times as much. Far more and longer than what the migrations make;
 * somebody may have written gigabytes there.
 */
function readParts(connection: Connection): Parts {
  const [text, roots] =
    connection.first`SELECT json_group_array(json_array(type, name, tbl_name, text)), json_group_array(root) FROM (
      SELECT substr(type, 1, 20) AS type, substr(name, 1, 200) AS name, substr(tbl_name, 1, 200) AS tbl_name,
        substr(CAST(sql AS TEXT), 1, 20000) AS text, substr(CAST(rootpage AS TEXT), 1, 20) AS root
      FROM sqlite_master ORDER BY 1, 2, 3 LIMIT 400)`;
  return { text: String(text), roots: String(roots) };
}

/** Holds because the text is made by {@link readParts} alone. */
const parse = (text: string) => JSON.parse(text) as readonly Part[];

const shownMax = 5;

function describeDifference(expected: readonly Part[], found: readonly Part[]): string {
  const keyOf = ([type, name]: Part) => JSON.stringify([type, name]);
  const textOf = (part: Part) => JSON.stringify(part);
  const wanted = new Map(expected.map((part) => [keyOf(part), textOf(part)]));
  const there = new Map(found.map((part) => [keyOf(part), textOf(part)]));
  const told = (what: string, parts: readonly Part[]) =>
    parts.map(([type, name]) => `${what} ${type} ${name.slice(0, 64)}`);
  const all = [
    ...told(
      "added",
      found.filter((part) => !wanted.has(keyOf(part))),
    ),
    ...told(
      "missing",
      expected.filter((part) => !there.has(keyOf(part))),
    ),
    ...told(
      "changed",
      expected.filter((part) => there.has(keyOf(part)) && there.get(keyOf(part)) !== textOf(part)),
    ),
  ];
  // The same part twice is none of these.
  if (all.length === 0) return "parts that are there twice";
  const more = all.length > shownMax ? `, and ${all.length - shownMax} more` : "";
  return all.slice(0, shownMax).join(", ") + more;
}
