import type { ConnectorContext } from "@keyloan/contract";
import { ProviderError } from "@keyloan/contract";
import * as z from "zod";
import { parseJson, send, statusError } from "../kit/http.ts";

const valueSchema = z.object({ type: z.string(), value: z.unknown().optional() });
const resultSchema = z.union([
  z.object({
    type: z.literal("ok"),
    response: z.object({
      type: z.string(),
      result: z.object({ rows: z.array(z.array(valueSchema)) }).optional(),
    }),
  }),
  z.object({ type: z.literal("error"), error: z.object({ code: z.string().nullish() }) }),
]);
const answerSchema = z.object({ results: z.array(resultSchema) });

/** What one statement gave: its rows' plain values, or the database's error code. Never a message. */
export type StatementResult =
  | { readonly ok: true; readonly rows: readonly (readonly unknown[])[] }
  | { readonly ok: false; readonly code: string };

export type PipelineAnswer =
  | { readonly status: 200; readonly results: readonly StatementResult[] }
  | { readonly status: number; readonly results?: never };

/**
 * Runs statements one after the other on a database (libSQL Hrana over HTTP, `POST /v2/pipeline`).
 * @param address the database's `http:` or `https:` address
 * @returns the results, or a status that says something of the values
 * @throws ProviderError when it cannot be reached or asks to come later, or when 200 comes with anything
 * but as many results
 */
export async function runPipeline(
  context: Pick<ConnectorContext, "fetch" | "signal">,
  address: string,
  token: string,
  statements: readonly string[],
  timeoutMs = 10_000,
): Promise<PipelineAnswer> {
  const response = await send({
    provider: "turso",
    context,
    method: "POST",
    url: `${address}/v2/pipeline`,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({
      requests: [...statements.map((sql) => ({ type: "execute", stmt: { sql } })), { type: "close" }],
    }),
    timeoutMs,
  });
  if (response.status !== 200) {
    const error = statusError("turso", response);
    if (error.retryable) throw error;
    return { status: response.status };
  }
  const parsed = answerSchema.safeParse(parseJson(response.text));
  if (!parsed.success || parsed.data.results.length !== statements.length + 1) {
    throw new ProviderError("turso", "invalid_response", "does not answer like a libSQL database", {
      status: 200,
    });
  }
  return {
    status: 200,
    results: parsed.data.results
      .slice(0, -1)
      .map((result) =>
        result.type === "error"
          ? { ok: false, code: result.error.code ?? "UNKNOWN" }
          : { ok: true, rows: (result.response.result?.rows ?? []).map((row) => row.map(plainValue)) },
      ),
  };
}

/** The address for HTTP calls of a database URL in any of the forms clients take, or `undefined`. */
export function toHttpAddress(databaseUrl: string): string | undefined {
  if (!URL.canParse(databaseUrl)) return undefined;
  const { protocol, host, username, password, pathname, search, hash } = new URL(databaseUrl);
  const plain = search === "?tls=0" && protocol === "libsql:";
  const scheme = plain ? "http" : schemes[protocol];
  const bare = username === "" && password === "" && (pathname === "" || pathname === "/") && hash === "";
  return scheme === undefined || !bare || host === "" ? undefined : `${scheme}://${host}`;
}

const schemes: Readonly<Record<string, "http" | "https">> = {
  "libsql:": "https",
  "https:": "https",
  "wss:": "https",
  "http:": "http",
  "ws:": "http",
};

function plainValue({ type, value }: { readonly type: string; readonly value?: unknown }): unknown {
  return type === "integer" ? Number(value) : value;
}
