import { createHash } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import type { EmulatorEnv } from "../kit/emulator-app.ts";
import { randomText } from "../kit/emulator-state.ts";

/** An error of Stripe's own form: `{ error: { type, code, message, param } }`. */
export type StripeProblem = {
  readonly status: number;
  readonly type?: string;
  readonly code?: string;
  readonly message: string;
  readonly param?: string;
};

export function errorBody({ type = "invalid_request_error", code, message, param }: StripeProblem): string {
  return JSON.stringify({
    error: {
      message,
      ...(code === undefined ? {} : { code }),
      ...(param === undefined ? {} : { param }),
      type,
    },
  });
}

export function refuse(problem: StripeProblem): Response {
  return answer(problem.status, errorBody(problem));
}

export function answer(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(body, {
    status,
    headers: { "content-type": "application/json", "request-id": `req_${randomText(14)}`, ...headers },
  });
}

/** A form body or a query, with `metadata[x]` and `recurring[interval]` under their written names. */
export type Form = ReadonlyMap<string, string>;

export function parseForm(text: string): Form {
  return new Map(new URLSearchParams(text));
}

/** The entries written as `name[key]`. */
export function nested(form: Form, name: string): Record<string, string> {
  const entries = [...form].flatMap(([written, value]): [string, string][] => {
    const key = /^([a-z_]+)\[([^\]]*)\]$/.exec(written);
    return key?.[1] === name && key[2] !== undefined ? [[key[2], value]] : [];
  });
  return Object.fromEntries(entries);
}

/**
 * A page of a list, newest first, as every list of the API is. It goes on after any object, also one that the
 * list's filters leave out by now.
 */
export function listBody<T extends { readonly id: string }>(
  url: string,
  { items, keeps, render }: Listed<T>,
  query: Form,
): string | undefined {
  const limit = Number(query.get("limit") ?? 10);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) return undefined;
  const after = query.get("starting_after");
  const start = after === undefined ? 0 : items.findIndex(({ id }) => id === after) + 1;
  const rest = items.slice(start).filter((item) => keeps(item, query));
  const data = rest.slice(0, limit).map(render);
  return JSON.stringify({ object: "list", url, has_more: rest.length > limit, data });
}

/** What is listed, which of it a query's filters leave, and how the API shows one. */
export type Listed<T> = {
  readonly items: readonly T[];
  readonly keeps: (item: T, query: Form) => boolean;
  readonly render: (item: T) => Record<string, unknown>;
};

type Stored = { readonly fingerprint: string; readonly status: number; readonly body: string };

/**
 * Keeps the first answer of every idempotency key: the same request again gets it replayed, another
 * request under the key is an error (Stripe API, "Idempotent requests").
 */
export function idempotency(): MiddlewareHandler<EmulatorEnv> {
  const answers = new Map<string, Stored>();
  return async (context, next) => {
    const key = context.req.header("idempotency-key");
    if (key === undefined || context.req.method !== "POST") return next();
    if (key.length > 255) {
      return refuse({ status: 400, type: "idempotency_error", message: "The idempotency key is too long." });
    }
    const who = context.req.header("authorization") ?? "";
    const request = [context.req.path, await context.req.text()].join("\n");
    const fingerprint = createHash("sha256").update(request).digest("hex");
    const stored = answers.get(`${who} ${key}`);
    if (stored === undefined) {
      await next();
      const { status } = context.res;
      answers.set(`${who} ${key}`, { fingerprint, status, body: await context.res.clone().text() });
      return;
    }
    if (stored.fingerprint === fingerprint) {
      return answer(stored.status, stored.body, { "idempotent-replayed": "true" });
    }
    return refuse({
      status: 400,
      type: "idempotency_error",
      message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
    });
  };
}
