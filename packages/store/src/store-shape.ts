import { migrate } from "drizzle-orm/libsql/migrator";
import { type Connection, openConnection } from "./connection.ts";

/** The tables, indexes, triggers and views of a store. Everything about this is specific to SQLite. */
export type StoreShape = {
  /** The file's shape as one connection has parsed it. */
  readonly load: (connection: Connection) => LoadedShape;
};

/**
 * The engine parses the file's shape once and keeps it until the file's schema version changes. Anyone who can write to
 * the file can have a trigger parsed and then delete its text without changing the version: this connection keeps
 * running the trigger. So the parsed shape is discarded before the file's is compared, and the version is checked at
 * the beginning of each transaction: within one the connection parses nothing.
 */
export type LoadedShape = {
  /** Whether the file's schema version is the loaded one, and the loaded shape is sound. Costs one statement. */
  readonly isCurrent: () => boolean;
  /**
   * Makes the connection use the file's current shape. Call it first in every transaction.
   * @throws what the engine throws
   */
  readonly refresh: () => void;
  /** Whether {@link refresh} found the shape that the migrations create. */
  readonly isSound: () => boolean;
  /**
   * What differs from what the migrations create, by its name; `undefined` if nothing does. Call it in a transaction.
   * @throws what the engine throws
   */
  readonly findDifference: () => string | undefined;
  /** Call it after the connection was used outside of such transactions. */
  readonly forget: () => void;
};

const shapes = new Map<string, Promise<StoreShape>>();

/** The shape that the migrations of a folder create, computed once per process. @throws what the engine throws */
export function readStoreShape(migrationsFolder: string): Promise<StoreShape> {
  const known = shapes.get(migrationsFolder) ?? findShape(migrationsFolder);
  shapes.set(migrationsFolder, known);
  known.catch(() => shapes.delete(migrationsFolder));
  return known;
}

/** Runs the migrations on an empty database in memory. */
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
      // Parts of an unsound shape can be deleted without changing the version, and would stay parsed: so compare it.
      if (loaded?.version === version && (isSound() || isAsLoaded())) return;
      loaded = undefined;
      connection.runNow`PRAGMA writable_schema = RESET`;
      loaded = { ...readParts(connection), version };
    },
    isSound,
    findDifference: () => {
      const found = readParts(connection);
      if (found.text !== expected) return describeDifference(parse(expected), parse(found.text));
      // If the version is unchanged, the connection keeps using the place that it knows.
      if (loaded !== undefined && loaded.roots !== found.roots) return "changed place of a table or an index";
      return undefined;
    },
    forget: () => {
      loaded = undefined;
    },
  };
}

type Parts = {
  /** The text that {@link parse} reads. */
  readonly text: string;
  /** The root pages of tables and indexes, in the same order. */
  readonly roots: string;
};
type Part = readonly [type: string, name: string, of: string, text: string | null];

/**
 * Reads all parts as one text: reading them as rows would cost five times as much. The limits are far above what the
 * migrations create, and are needed because somebody may have written gigabytes there.
 */
function readParts(connection: Connection): Parts {
  const [text, roots] =
    connection.first`SELECT json_group_array(json_array(type, name, tbl_name, text)), json_group_array(root) FROM (
      SELECT substr(type, 1, 20) AS type, substr(name, 1, 200) AS name, substr(tbl_name, 1, 200) AS tbl_name,
        substr(CAST(sql AS TEXT), 1, 20000) AS text, substr(CAST(rootpage AS TEXT), 1, 20) AS root
      FROM sqlite_master ORDER BY 1, 2, 3 LIMIT 400)`;
  return { text: String(text), roots: String(roots) };
}

/** The cast holds because only {@link readParts} makes the text. */
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
  // A part that is there twice is none of these.
  if (all.length === 0) return "parts that are there twice";
  const more = all.length > shownMax ? `, and ${all.length - shownMax} more` : "";
  return all.slice(0, shownMax).join(", ") + more;
}
