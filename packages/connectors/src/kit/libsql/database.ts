import { setTimeout as delay } from "node:timers/promises";
import { ProviderError } from "@keyloan/contract";
import { refusedStatement, refusedValues } from "./errors.ts";
import {
  type LibsqlDatabase,
  notLibsql,
  type Rows,
  runPipeline,
  runTransaction,
  type Statement,
} from "./pipeline.ts";

const readTimeoutMs = 30_000;
const writeTimeoutMs = 120_000;
/** The pauses between the attempts of a read, in milliseconds. */
const waitsMs = [100, 700] as const;

/**
 * Runs statements that only read, and repeats them up to twice if the failure may be temporary.
 * @param what what is being read, for the error of a refused statement
 * @throws ProviderError when the values or a statement are refused, or the database does not answer
 */
export async function readRows(
  database: LibsqlDatabase,
  statements: readonly (string | Statement)[],
  what: string,
): Promise<readonly Rows[]> {
  const { provider } = database;
  const answer = await readAgain(database, () => runPipeline(database, statements, readTimeoutMs));
  if (answer.results === undefined) throw refusedValues(provider, answer.status);
  return answer.results.map((result) => {
    if (result.ok) return result.rows;
    throw refusedStatement(provider, result.code, what);
  });
}

/** Reads with one statement, like {@link readRows}. */
export async function readOne(
  database: LibsqlDatabase,
  statement: string | Statement,
  what: string,
): Promise<Rows> {
  const [rows] = await readRows(database, [statement], what);
  if (rows === undefined) throw notLibsql(database);
  return rows;
}

/** A statement that writes, and `what` it writes, for the error if the database refuses it. */
export type Write = Statement & { readonly what: string };

/** Carries out all writes or none. @throws ProviderError that names what was refused */
export async function write(
  database: LibsqlDatabase,
  writes: readonly Write[],
  timeoutMs: number = writeTimeoutMs,
): Promise<void> {
  await writeAll(database, writes, timeoutMs);
}

/**
 * Carries out all writes or none, like {@link write}.
 * @param expectation the index of the write that breaks a constraint if the database is not as expected
 * @returns false when that write broke a constraint
 */
export async function writeExpecting(
  database: LibsqlDatabase,
  writes: readonly Write[],
  expectation: number,
): Promise<boolean> {
  return writeAll(database, writes, writeTimeoutMs, expectation);
}

async function writeAll(
  database: LibsqlDatabase,
  writes: readonly Write[],
  timeoutMs: number,
  expectation?: number,
): Promise<boolean> {
  const { provider } = database;
  const { status, failed } = await runTransaction(database, writes, timeoutMs);
  if (status !== 200) throw refusedValues(provider, status);
  if (failed === undefined) return true;
  if (failed.step === expectation && failed.code.startsWith("SQLITE_CONSTRAINT")) return false;
  throw refusedStatement(provider, failed.code, writes[failed.step]?.what ?? "a transaction");
}

async function readAgain<T>(database: LibsqlDatabase, read: () => Promise<T>): Promise<T> {
  for (const waitMs of waitsMs) {
    try {
      return await read();
    } catch (error) {
      if (!mayPass(error) || database.context.signal.aborted) throw error;
      await delay(waitMs, undefined, { signal: database.context.signal }).catch(() => {
        throw error;
      });
    }
  }
  return read();
}

function mayPass(error: unknown): boolean {
  return error instanceof ProviderError && error.retryable && error.code !== "rate_limited";
}
