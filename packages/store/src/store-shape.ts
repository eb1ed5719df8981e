import { sql } from "drizzle-orm";
import { migrate } from "drizzle-orm/libsql/migrator";
import { type Connection, openConnection } from "./connection.ts";
import type { Database } from "./database.ts";

/** Tables and indexes, triggers and views: what a store is built of. Only SQLite is asked here. */
export type StoreShape = {
  /**
   * What differs from what the migrations make, in words that name it; `undefined` when nothing does.
   * @throws what the engine throws
   */
  readonly findDifference: (database: Database) => Promise<string | undefined>;
  /** The same as yes or no, of one connection: it compares only after the shape was changed. */
  readonly watch: (connection: Connection) => ShapeWatch;
};

export type ShapeWatch = {
  readonly isSound: () => Promise<boolean>;
  /** What was compared holds no longer: the connection was used by others. */
  readonly forget: () => void;
};

/** The shape that the migrations make, found by running them on an empty database in memory. */
export async function readStoreShape(migrationsFolder: string): Promise<StoreShape> {
  const empty = openConnection(":memory:", { lockWaitMs: 0 });
  try {
    await migrate(empty.database, { migrationsFolder });
    return createShape(await readParts(empty.database));
  } finally {
    empty.close();
  }
}

function createShape(expected: string): StoreShape {
  const findDifference = async (database: Database): Promise<string | undefined> => {
    const found = await readParts(database);
    return found === expected ? undefined : describeDifference(parse(expected), parse(found));
  };
  return {
    findDifference,
    watch: ({ database, shapeVersion }) => {
      // The engine counts changes of the shape in the file, and reads it anew when the number is another. A number that
      // was wrong once is not remembered: it may be put back.
      let soundAt: unknown;
      return {
        isSound: async () => {
          const version = shapeVersion();
          if (soundAt !== undefined && version === soundAt) return true;
          soundAt = (await findDifference(database)) === undefined ? version : undefined;
          return soundAt !== undefined;
        },
        forget: () => {
          soundAt = undefined;
        },
      };
    },
  };
}

type Part = readonly [type: string, name: string, of: string, text: string | null];

// Far more and longer than what the migrations make; somebody may have written gigabytes there.
const partsText = sql`SELECT json_group_array(json_array(type, name, tbl_name, text)) FROM (
  SELECT substr(type, 1, 20) AS type, substr(name, 1, 200) AS name, substr(tbl_name, 1, 200) AS tbl_name,
    substr(CAST(sql AS TEXT), 1, 20000) AS text
  FROM sqlite_master ORDER BY 1, 2, 3 LIMIT 400)`;

/** One text of all: read as rows it would cost five times as much. */
async function readParts(database: Database): Promise<string> {
  const [row] = await database.values<[string]>(partsText);
  return row?.[0] ?? "[]";
}

/** Holds because the text is made by {@link partsText} alone. */
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
  if (all.length === 0) return "parts that stand there twice";
  const more = all.length > shownMax ? `, and ${all.length - shownMax} more` : "";
  return all.slice(0, shownMax).join(", ") + more;
}
