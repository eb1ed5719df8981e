import { type ConnectorContext, ProviderError } from "@keyloan/contract";
import * as z from "zod";
import { parseJson, send, statusError } from "../http.ts";
import { listOf } from "../list-schema.ts";

/** A database, and its own token to open it. */
export type LibsqlDatabase = {
  readonly provider: string;
  readonly context: Pick<ConnectorContext, "fetch" | "signal">;
  /** `http:` or `https:`, without a path. */
  readonly address: string;
  readonly token: string;
};

/** One value as the server encodes it. Its type determines which members are present. */
export type Cell = { readonly type: string; readonly value?: unknown; readonly base64?: unknown };

export type Rows = readonly (readonly Cell[])[];

/** The result of one statement: its rows, or the database's error code. Never a message. */
export type StatementResult =
  | { readonly ok: true; readonly rows: Rows }
  | { readonly ok: false; readonly code: string };

export type PipelineAnswer =
  | { readonly status: 200; readonly results: readonly StatementResult[] }
  | { readonly status: number; readonly results?: never };

/** A statement, with its arguments as the JSON texts of Hrana values, in order. */
export type Statement = { readonly sql: string; readonly args?: readonly string[] };

const errorSchema = z.object({ code: z.string().nullish() });
// The values are checked one by one where they are used: there may be a hundred thousand of them.
const rowsSchema = z.object({ rows: z.array(z.unknown()) });
const batchSchema = z.object({
  step_results: listOf(rowsSchema.nullish()),
  step_errors: listOf(errorSchema.nullish()),
});
const resultSchema = z.union([
  z.object({ type: z.literal("error"), error: errorSchema }),
  z.object({
    type: z.literal("ok"),
    response: z.object({ type: z.string(), result: z.unknown().optional() }),
  }),
]);
const answerSchema = z.object({ results: listOf(resultSchema) });

/**
 * Runs statements one after the other (libSQL Hrana 2 over HTTP, `POST /v2/pipeline`). If one fails, the next is
 * still tried.
 * @returns the results, or a status by which the database refuses the URL or the token
 * @throws ProviderError if the database cannot be reached or asks to try later, or if an answer of status 200 does
 * not have one result for each statement
 */
export async function runPipeline(
  database: LibsqlDatabase,
  statements: readonly (string | Statement)[],
  timeoutMs = 10_000,
): Promise<PipelineAnswer> {
  const requests = statements.map((one) => `{"type":"execute","stmt":${statementJson(one)}}`);
  const answer = await post(database, requests, timeoutMs);
  if (answer.results === undefined) return { status: answer.status };
  return {
    status: 200,
    results: answer.results.map((result) =>
      result.type === "error"
        ? { ok: false, code: codeOf(result.error) }
        : { ok: true, rows: rowsOf(database, result.response.result) },
    ),
  };
}

export type BatchAnswer =
  | { readonly status: 200; readonly failed?: { readonly step: number; readonly code: string } }
  | { readonly status: number; readonly failed?: never };

/**
 * Runs statements in one transaction, all or none, with foreign keys off.
 * @returns the status, like {@link runPipeline}, and which statement failed; -1 stands for the transaction itself
 */
export async function runTransaction(
  database: LibsqlDatabase,
  statements: readonly (string | Statement)[],
  timeoutMs: number,
): Promise<BatchAnswer> {
  const last = statements.length + 1;
  const steps = [
    `{"stmt":{"sql":"BEGIN IMMEDIATE"}}`,
    ...[...statements, "COMMIT"].map(
      (one, index) => `{"condition":{"type":"ok","step":${index}},"stmt":${statementJson(one)}}`,
    ),
    `{"condition":{"type":"not","cond":{"type":"ok","step":${last}}},"stmt":{"sql":"ROLLBACK"}}`,
  ];
  const answer = await post(
    database,
    [
      `{"type":"execute","stmt":{"sql":"PRAGMA foreign_keys=OFF"}}`,
      `{"type":"batch","batch":{"steps":[${steps.join(",")}]}}`,
    ],
    timeoutMs,
  );
  if (answer.results === undefined) return { status: answer.status };
  for (const result of answer.results) {
    if (result.type === "error") return { status: 200, failed: { step: -1, code: codeOf(result.error) } };
  }
  const batch = answer.results[1];
  const parsed = batchSchema.safeParse(batch?.type === "ok" ? batch.response.result : undefined);
  if (!parsed.success || parsed.data.step_results.length !== steps.length) throw notLibsql(database);
  const failed = parsed.data.step_errors.findIndex((error) => error !== null && error !== undefined);
  if (failed !== -1) {
    const code = codeOf(parsed.data.step_errors[failed] ?? {});
    return { status: 200, failed: { step: failed > statements.length ? -1 : failed - 1, code } };
  }
  // The transaction succeeded only if its COMMIT has a result, whatever else the answer holds.
  if (!parsed.data.step_results[last]) throw notLibsql(database);
  return { status: 200 };
}

type RawAnswer =
  | { readonly status: 200; readonly results: readonly z.output<typeof resultSchema>[] }
  | { readonly status: number; readonly results?: never };

async function post(
  database: LibsqlDatabase,
  requests: readonly string[],
  timeoutMs: number,
): Promise<RawAnswer> {
  const { provider, context, address, token } = database;
  const response = await send({
    provider,
    context,
    method: "POST",
    url: `${address}/v2/pipeline`,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: `{"requests":[${requests.join(",")},{"type":"close"}]}`,
    timeoutMs,
  });
  if (response.status !== 200) {
    const error = statusError(provider, response);
    if (error.retryable) throw error;
    return { status: response.status };
  }
  const parsed = answerSchema.safeParse(parseJson(response.text));
  if (!parsed.success || parsed.data.results.length !== requests.length + 1) throw notLibsql(database);
  return { status: 200, results: parsed.data.results.slice(0, -1) };
}

function statementJson(statement: string | Statement): string {
  const { sql, args = [] } = typeof statement === "string" ? { sql: statement } : statement;
  return `{"sql":${JSON.stringify(sql)}${args.length === 0 ? "" : `,"args":[${args.join(",")}]`}}`;
}

function rowsOf(database: LibsqlDatabase, result: unknown): Rows {
  const parsed = rowsSchema.safeParse(result);
  if (!parsed.success) throw notLibsql(database);
  const { rows } = parsed.data;
  if (!rows.every(isRow)) throw notLibsql(database);
  return rows;
}

function isRow(row: unknown): row is readonly Cell[] {
  return (
    Array.isArray(row) && row.every((cell) => typeof cell === "object" && cell !== null && "type" in cell)
  );
}

function codeOf({ code }: z.output<typeof errorSchema>): string {
  return typeof code === "string" && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : "UNKNOWN";
}

/** The error for a server that is not a libSQL database, or a broken one. */
export function notLibsql({ provider }: Pick<LibsqlDatabase, "provider">): ProviderError {
  return new ProviderError(provider, "invalid_response", "does not answer like a libSQL database", {
    status: 200,
  });
}
