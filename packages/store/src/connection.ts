import type { Client, InStatement, ResultSet } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import SyncDatabase from "libsql";
import AsyncDatabase from "libsql/promise";
import type { Database } from "./database.ts";
import { StoreError } from "./errors.ts";
import { asWholeTexts, type Stored, toText, toValue } from "./whole-texts.ts";

/** One connection to the store's file. */
export type Connection = {
  /** Queries run synchronously on this thread; each statement is prepared once and kept. */
  readonly database: Database;
  /**
   * Runs SQL on another thread, so that waiting for a lock or the disk does not block this one. A template tag, so that
   * its text is a constant of the source.
   */
  readonly run: (text: TemplateStringsArray) => Promise<void>;
  /** The same on this thread, for statements that neither wait nor take long. */
  readonly runNow: (text: TemplateStringsArray) => void;
  /** The values of the result's first row, in column order; empty if there is no row. Invalid UTF-8 is replaced. */
  readonly first: (text: TemplateStringsArray) => readonly unknown[];
  /** Writes a copy as of one moment to a path that does not exist yet, on another thread. */
  readonly copyTo: (path: string) => Promise<void>;
  /** Rolls back the open transaction, if there is one. */
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
  /** Turns a value as the engine returns it into the value of the column. */
  readonly read: (stored: Stored) => unknown;
};

// Lists of varying length give statements of varying text, so only the newest statements are kept prepared.
const statementsMax = 300;

/**
 * @param options.lockWaitMs how long a statement waits while another connection holds the write lock
 * @param options.mayRun called before every query of `database`, which throws if it returns false
 * @param options.beforeEach called before every query of `database`
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
  // Triggers, views and defaults in the file cannot call functions that have effects outside the file.
  engine.exec("PRAGMA trusted_schema = OFF");
  const statements = new Map<string, Prepared>();
  const prepare = (sql: string): Prepared => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    // The cast holds because this is the engine's documented interface; its types describe another version.
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
    // All rows are read at once, so that no statement stays open and keeps an old state of the file.
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
 * The part of a client that drizzle needs. The official client prepares every statement anew and reads its columns'
 * names and types each time, which costs ten times as much as the query; drizzle uses neither.
 * The casts hold because drizzle only calls `execute` and `migrate`, and reads rows by position.
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
