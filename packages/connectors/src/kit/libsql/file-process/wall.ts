import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { DumpDefinition } from "../dump-format.ts";
import { type RefusalReason, RefusedFile } from "./answers.ts";
import { createGuard, type Guard, type Step } from "./guard.ts";
import { watchSchema } from "./watch-schema.ts";

const sqlBytesMax = 1_000_000;
const valueBytesMin = 4 * 1024 * 1024;
const valueBytesMax = 1_000_000_000;
const pageBytes = 4096;

/** An engine that can safely be given SQL from a user's database: it reaches its own file and nothing else. */
export type Wall = {
  /** Makes the object that the definition is listed as. Throws RefusedFile if the SQL makes anything else. */
  readonly define: (definition: DumpDefinition) => void;
  /** Compiles a statement of ours that can evaluate foreign expressions; the returned function runs it. */
  readonly prepare: (step: Step, sql: string) => (values: readonly SQLInputValue[]) => void;
  /** Runs SQL that is a constant of this program. */
  readonly own: (sql: string) => void;
  /** The columns of a table for which a row can have values. */
  readonly columnsOf: (table: string) => readonly string[];
  /** How many indexes a table has so far. */
  readonly keysOf: (table: string) => number;
  /** Raises the size limit of values to four times that of a value in the dump, at most 1 GB. */
  readonly allowValue: (bytes: number) => void;
  readonly allowFile: (bytes: number) => void;
  /** Ends the work: the file holds what was defined and nothing else. */
  readonly finish: () => void;
  readonly close: () => void;
};

/**
 * Opens an empty file. The engine, SQLite as built into Node, enforces `limits`, the defensive flag and the authorizer
 * itself, whatever the SQL looks like.
 * @throws RefusedFile from its functions, for what the engine or this wall does not accept
 */
export function openWall(path: string): Wall {
  const database = new DatabaseSync(path, {
    enableForeignKeyConstraints: false,
    allowExtension: false,
    defensive: true,
    // VACUUM INTO attaches the file that it writes, so it is refused with ATTACH.
    limits: { attach: 0, length: valueBytesMin, sqlLength: sqlBytesMax },
  });
  // The file is discarded after a failure, so it need not survive an incomplete write.
  database.exec("PRAGMA trusted_schema=OFF; PRAGMA synchronous=OFF; BEGIN");
  const guard = createGuard();
  database.setAuthorizer(guard.authorizer);
  const schema = watchSchema(database);
  const columns = database.prepare("SELECT name FROM pragma_table_xinfo(?) WHERE hidden=0 ORDER BY cid");
  const keys = database.prepare("SELECT count(*) AS count FROM pragma_index_list(?)");
  const prepare: Wall["prepare"] = (step, sql) => {
    const statement = attempt(guard, () => compile(database, guard, step, sql));
    return (values) =>
      attempt(guard, () => guard.during("running", step, () => void statement.run(...values)));
  };
  return {
    define: (definition) => {
      const step = stepOf(definition);
      const end = schema.begin();
      prepare(step, definition.sql)([]);
      end(step, definition.sql);
      guard.know(step);
    },
    prepare,
    own: (sql) => attempt(guard, () => database.exec(sql)),
    columnsOf: (table) => columns.all(table).map(({ name }) => String(name)),
    keysOf: (table) => Number(keys.get(table)?.count),
    allowValue: (bytes) => {
      const wanted = Math.min(4 * bytes, valueBytesMax);
      if (wanted > database.limits.length) database.limits.length = wanted;
    },
    allowFile: (bytes) => database.exec(`PRAGMA max_page_count=${Math.ceil(bytes / pageBytes)}`),
    finish: () => {
      schema.checkWhole();
      attempt(guard, () => database.exec("COMMIT"));
    },
    close: () => database.close(),
  };
}

function compile(database: DatabaseSync, guard: Guard, step: Step, sql: string) {
  const statement = guard.during("compiling", step, () => database.prepare(sql));
  // The engine compiles only the first statement of a text, and ignores the rest and what follows a NUL.
  if (statement.sourceSQL !== sql) throw new RefusedFile({ reason: "several" });
  return statement;
}

/** The step that makes the object of a definition. */
export function stepOf({ type, name, table, search }: DumpDefinition): Step {
  return { kind: type === "table" && search !== undefined ? "search" : type, name, table };
}

/** Calls the engine. Its error messages may contain values, so they are not passed on. */
function attempt<T>(guard: Guard, act: () => T): T {
  let result: T;
  try {
    result = act();
  } catch (error) {
    const denial = guard.takeDenial();
    if (error instanceof RefusedFile) throw error;
    if (denial !== undefined) throw new RefusedFile(denial);
    throw new RefusedFile({ reason: reasonOf(error), ...missingFunctionOf(error) });
  }
  const denial = guard.takeDenial();
  if (denial !== undefined) throw new RefusedFile(denial);
  return result;
}

/** https://www.sqlite.org/rescode.html: SQLite gives SQLITE_IOERR (10) when the system does not let the file grow. */
const reasons: Readonly<Record<number, RefusalReason>> = {
  10: "no_room",
  13: "large_file",
  18: "large_value",
};

function reasonOf(error: unknown): RefusalReason {
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) : 0;
  return reasons[code & 0xff] ?? "unfit";
}

function missingFunctionOf(error: unknown): { readonly uses?: string } {
  const uses = error instanceof Error ? /^no such function: (\w+)$/.exec(error.message)?.[1] : undefined;
  return uses === undefined ? {} : { uses };
}
