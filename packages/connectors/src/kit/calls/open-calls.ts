import { type ConnectorContext, ProviderError, type ProviderErrorCode, trimEndOf } from "@keyloan/contract";
import type * as z from "zod";
import { parseJson, send, statusError } from "../http.ts";
import type { Call, CallInput, Calls } from "./define-calls.ts";
import { readLink } from "./link-pages.ts";

/** Where a provider's API is, and how to call it. */
export type Api = {
  readonly provider: string;
  readonly baseUrl: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The code of a refusal whose status does not say enough. The text of the body is never passed on. */
  readonly readRefusal?: (status: number, body: unknown) => ProviderErrorCode | undefined;
  /** Remedies for error codes whose general remedy says too little for this provider. */
  readonly remedies?: Partial<Readonly<Record<ProviderErrorCode, string>>>;
};

type Asked<C extends Call> = (
  ...given: unknown extends CallInput<C> ? [] : [input: CallInput<C>]
) => Promise<z.output<C["answer"]>>;

/** A function for each call of the table. */
export type OpenCalls<T extends Calls> = { readonly [Name in keyof T]: Asked<T[Name]> };

type Loose = { readonly params?: Record<string, string>; readonly body?: unknown; readonly query?: unknown };

/**
 * The calls of a table with one key, over the context's fetch, or through the SDK if the call has a `via`. Each throws
 * ProviderError for every answer that is not a success or does not have the shape that the table says.
 * @param openSdk opens the SDK at the first call that needs it; other errors of its calls become `invalid_response`
 */
export function openCalls<T extends Calls>(
  api: Api,
  calls: T,
  context: ConnectorContext,
  key: string | undefined,
  openSdk?: () => Promise<unknown>,
): OpenCalls<T> {
  let sdk: Promise<unknown> | undefined;
  const ask = async (call: Call, given: Loose = {}): Promise<unknown> => {
    if (call.via === undefined) return sendCall(api, call, given, context, key);
    sdk ??= openSdk?.();
    return carry(call.via, await sdk, given).catch((error: unknown) => {
      throw error instanceof ProviderError ? error : unexpectedShape(api);
    });
  };
  const checked = async (call: Call, given?: Loose) => {
    const parsed = call.answer.safeParse(await ask(call, given));
    if (!parsed.success) throw unexpectedShape(api);
    return parsed.data;
  };
  const asked = Object.entries(calls).map(([name, call]) => [name, (given?: Loose) => checked(call, given)]);
  return toOpenCalls<T>(Object.fromEntries(asked));
}

/** These casts hold because a `via` is only called with the SDK and the input of its own table. */
function carry(via: NonNullable<Call["via"]>, sdk: unknown, given: Loose): Promise<unknown> {
  return via(sdk as never, given as never);
}

/** This cast holds because each member was made from the call of the same name, whose schema checks its answer. */
function toOpenCalls<T extends Calls>(asked: unknown): OpenCalls<T> {
  return asked as OpenCalls<T>;
}

async function sendCall(
  { provider, baseUrl, headers = {}, readRefusal, remedies }: Api,
  { method, path, paged }: Call,
  { params = {}, body, query }: Loose,
  context: ConnectorContext,
  key: string | undefined,
): Promise<unknown> {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
  const search = searchOf(query);
  const response = await send({
    provider,
    context,
    method,
    url: `${trimEndOf(context.baseUrl ?? baseUrl, "/")}${filled}${search}`,
    headers: {
      ...headers,
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = parseJson(response.text);
  if (response.status >= 200 && response.status <= 299)
    return paged === undefined ? answer : readLink(answer, response.headers);
  throw statusError(provider, response, readRefusal?.(response.status, answer), remedies);
}

function searchOf(query: unknown): string {
  if (typeof query !== "object" || query === null) return "";
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return given.length === 0
    ? ""
    : `?${new URLSearchParams(Object.fromEntries(given.map(([name, value]) => [name, String(value)])))}`;
}

function unexpectedShape({ provider }: Api): ProviderError {
  return new ProviderError(provider, "invalid_response", "the answer has an unexpected shape");
}
