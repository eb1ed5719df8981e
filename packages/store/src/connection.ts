import type { Client, InStatement, ResultSet } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import SyncDatabase from "libsql";
import AsyncDatabase from "libsql/promise";
import type { Database } from "./database.ts";
import { StoreError } from "./errors.ts";
import { asWholeTexts, type Stored, toText, toValue } from "./whole-texts.ts";

/** One connection to the store's file. */
export type Connection = {
  /** Queries run at once, on this thread; a statement is prepared the first time and kept. */
  readonly database: Database;
  /**
   * Runs SQL on another thread: what waits for a lock or for the disk stops nobody here. A tag, so that its text is a
   * constant of the source.
   */
  readonly run: (text: TemplateStringsArray) => Promise<void>;
  /** The same on this thread, for what neither waits nor takes long. */
  readonly runNow: (text: TemplateStringsArray) => void;
  /** The first row of an answer, by position; empty when there is none. Bytes that are no UTF-8 are replaced. */
  readonly first: (text: TemplateStringsArray) => readonly unknown[];
  /** Writes a copy as of one moment to a path where nothing is, on another thread. */
  readonly copyTo: (path: string) => Promise<void>;
  /** Ends a transaction without keeping anything of it, if one is open. */
  readonly rollBack: () => void;
  readonly close: () => void;
};

type Row = readonly unknown[];
type Statement = {
  readonly reader: boolean;
  readonly columns: () => readonly unknown[];
  readonly raw: (on: boolean) => Statement;
  readonly all: (values: readonly unknown[]) => (readonly Stored[])[];
  readonly run: (values: readonly unknown[]) => { readonly changes: number };
};
type Prepared = {
  readonly statement: Statement;
  readonly reads: boolean;
  /** What an answer of the engine says. */
  readonly read: (stored: Stored) => unknown;
};

// Lists of varying length make statements of varying text; the oldest are prepared again.
const statementsMax = 300;

/**
 * @param options.lockWaitMs how long a statement waits while another connection holds the write lock
 * @param options.mayRun asked before every query
 * @param options.beforeEach runs before every query of `database`
 */
export function openConnection(
  path: string,
  options: {
    readonly lockWaitMs: number;
    readonly mayRun?: () => boolean;
    readonly beforeEach?: () => void;
  },
): Connection {
  const { lockWaitMs, mayRun = () => true, beforeEach = () => undefined } = options;
  const engine = new SyncDatabase(path, { timeout: lockWaitMs });
  // What stands in the file as a trigger, a view or a default calls nothing that reaches out of it.
  engine.exec("PRAGMA trusted_schema = OFF");
  const statements = new Map<string, Prepared>();
  const prepare = (sql: string): Prepared => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    // Holds because this is the engine's documented interface, of which its types know another version.
    const given = engine.prepare(sql) as unknown as Statement;
    const reads = given.reader;
    const whole = reads ? asWholeTexts(sql, given.columns().length) : sql;
    const statement = whole === sql ? given : (engine.prepare(whole) as unknown as Statement);
    const prepared = { statement, reads, read: whole === sql ? (stored: Stored) => stored : toValue };
    if (reads) statement.raw(true);
    if (statements.size >= statementsMax) statements.delete(statements.keys().next().value ?? "");
    statements.set(sql, prepared);
    return prepared;
  };
  const execute = (sql: string, values: readonly unknown[]) => {
    if (!mayRun()) throw new StoreError("unavailable", "a write outside its transaction");
    beforeEach();
    const { statement, reads, read } = prepare(sql);
    // Rows are read to the end, so that no statement stays open and holds an old state of the file.
    if (reads) return { rows: statement.all(values).map((row) => row.map(read)), rowsAffected: 0 };
    return { rows: [], rowsAffected: statement.run(values).changes };
  };
  return {
    database: drizzle(asClient(execute)),
    run: ([text = ""]) => AsyncDatabase.prototype.exec.call(engine, text).then(() => undefined),
    runNow: ([text = ""]) => {
      engine.exec(text);
    },
    first: ([text = ""]) => (prepare(text).statement.all([])[0] ?? []).map(toText),
    copyTo: async (path) => {
      const statement = await AsyncDatabase.prototype.prepare.call(engine, "VACUUM INTO ?");
      await statement.run([path]);
    },
    rollBack: () => {
      if (engine.open && engine.inTransaction) engine.exec("ROLLBACK");
    },
    close: () => {
      statements.clear();
      if (engine.open) engine.close();
    },
  };
}

type Execute = (
  sql: string,
  values: readonly unknown[],
) => { readonly rows: readonly Row[]; readonly rowsAffected: number };

/**
 * What drizzle needs of a client. The official one prepares every statement anew and reads the names and types
 * of its columns each time, which costs ten times the query; drizzle uses neither.
 * The casts hold because drizzle calls `execute` and `migrate` only, and reads rows by position.
 */
function asClient(execute: Execute): Client {
  const run = (statement: InStatement): ResultSet => {
    const { sql, args } = typeof statement === "string" ? { sql: statement, args: [] } : statement;
    return execute(sql, Array.isArray(args) ? args : []) as unknown as ResultSet;
  };
  return {
    execute: async (statement: InStatement) => run(statement),
    migrate: async (statements: readonly InStatement[]) => {
      if (statements.length === 0) return [];
      run("BEGIN IMMEDIATE");
      try {
        const results = statements.map(run);
        run("COMMIT");
        return results;
      } catch (error) {
        run("ROLLBACK");
        throw error;
      }
    },
  } as unknown as Client;
}
