import { ProviderError } from "@keyloan/contract";
import type { Client, LibsqlError } from "@libsql/client";
import { boundedFetch, statusError } from "../http.ts";
import { type LibsqlDatabase, notLibsql } from "./pipeline.ts";

/** The result of one statement: the first cell of its first row, or the database's error code. Never a message. */
export type CheckResult =
  | { readonly ok: true; readonly cell: unknown }
  | { readonly ok: false; readonly code: string };

export type CheckAnswer =
  | { readonly status: 200; readonly results: readonly CheckResult[] }
  | { readonly status: number; readonly results?: never };

/**
 * Runs statements one after the other through `@libsql/client`, the way an app reaches its database, over the context's
 * fetch and within limits of time and size. If one fails, the next is still tried.
 * @returns their results, or the status by which the database refused the token
 * @throws ProviderError when the database cannot be reached, asks to try later, or does not answer like libSQL
 */
export async function runChecks(
  database: LibsqlDatabase,
  statements: readonly string[],
  timeoutMs?: number,
): Promise<CheckAnswer> {
  const { provider, context, address, token } = database;
  const { createClient } = await import("@libsql/client/http");
  const fetch = boundedFetch(provider, context, timeoutMs);
  const client = createClient({
    url: address,
    authToken: token,
    fetch: async (request: Request) => {
      const response = await fetch(request);
      if (response.status === 200) return response;
      const error = statusError(provider, response);
      throw error.retryable ? error : new Refusal(response.status);
    },
  });
  const results: CheckResult[] = [];
  try {
    for (const sql of statements) results.push(await run(client, database, sql));
    return { status: 200, results };
  } catch (error) {
    if (error instanceof Refusal) return { status: error.status };
    throw error;
  } finally {
    client.close();
  }
}

class Refusal extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`answered ${status}`);
    this.status = status;
  }
}

async function run(client: Client, database: LibsqlDatabase, sql: string): Promise<CheckResult> {
  try {
    return { ok: true, cell: (await client.execute(sql)).rows[0]?.[0] };
  } catch (error) {
    if (error instanceof ProviderError || error instanceof Refusal) throw error;
    const code = isLibsqlError(error) && !clientsOwn.test(error.code) ? error.code : undefined;
    // Any other error, such as a TypeError or one of the client's own codes, comes from an answer that is not libSQL's.
    if (code === undefined) throw notLibsql(database);
    return { ok: false, code: /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : "UNKNOWN" };
  }
}

/** Codes that the client itself gives to protocol failures. */
const clientsOwn = /^(?:HRANA_\w+|SERVER_ERROR|PROTOCOL_VERSION_ERROR|INTERNAL_ERROR)$/;

function isLibsqlError(error: unknown): error is LibsqlError {
  return (
    error instanceof Error &&
    error.name === "LibsqlError" &&
    "code" in error &&
    typeof error.code === "string"
  );
}
