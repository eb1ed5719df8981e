import { type ConnectorContext, ProviderError, userAgent } from "@keyloan/contract";
import * as z from "zod";
import { requestJson, requestTimeoutMsDefault, statusError, transportError } from "../kit/http.ts";
import { listOf } from "../kit/list-schema.ts";

const defaultBaseUrl = "https://api.clerk.com";
const apiVersion = "2026-05-12";

const instanceSchema = z.object({
  object: z.literal("instance"),
  id: z.string().min(1).max(200),
  environment_type: z.string().min(1).max(40),
});

const domainsSchema = z.object({
  data: listOf(
    z.object({
      object: z.literal("domain"),
      name: z.string(),
      frontend_api_url: z.string(),
      proxy_url: z.string().nullish(),
    }),
  ),
});

const keySetSchema = z.object({
  keys: listOf(z.object({ kid: z.string().min(1) })).refine(({ length }) => length > 0),
});

export type ClerkInstance = { readonly id: string; readonly environment: string };
export type ClerkDomain = { readonly frontendHost: string | undefined; readonly hosts: readonly string[] };

/** The instance a secret key belongs to (Clerk Backend API, `GET /instance`). */
export async function readInstance(context: ConnectorContext, secretKey: string): Promise<ClerkInstance> {
  const { id, environment_type } = await get(context, secretKey, "/instance", instanceSchema);
  return { id, environment: environment_type };
}

/** The hosts of an instance (Clerk Backend API, `GET /domains`). */
export async function listDomains(
  context: ConnectorContext,
  secretKey: string,
): Promise<readonly ClerkDomain[]> {
  const { data } = await get(context, secretKey, "/domains", domainsSchema);
  return data.map(({ name, frontend_api_url, proxy_url }) => {
    const frontendHost = hostOf(frontend_api_url);
    const others = [name.toLowerCase(), hostOf(proxy_url ?? "")];
    return { frontendHost, hosts: [frontendHost, ...others].filter((host) => host !== undefined) };
  });
}

const userCountSchema = z.object({
  object: z.literal("total_count"),
  total_count: z.number().int().min(0),
});

/** How many users the instance has (Clerk Backend API, `GET /users/count`). */
export async function countUsers(context: ConnectorContext, secretKey: string): Promise<number> {
  return (await get(context, secretKey, "/users/count", userCountSchema)).total_count;
}

/** The ids of the instance's signing keys (Clerk Backend API, `GET /jwks`). */
export async function readKeyIds(context: ConnectorContext, secretKey: string): Promise<readonly string[]> {
  return (await get(context, secretKey, "/jwks", keySetSchema)).keys.map(({ kid }) => kid);
}

/** The same ids as a Frontend API host shows them to everyone. The caller has judged the host. */
export async function readPublicKeyIds(context: ConnectorContext, host: string): Promise<readonly string[]> {
  const url = `https://${host}/.well-known/jwks.json`;
  const { keys } = await requestJson({ provider: "clerk", context, method: "GET", url }, keySetSchema);
  return keys.map(({ kid }) => kid);
}

/**
 * Counts users through `@clerk/backend`, the way an app reaches Clerk.
 *
 * The SDK takes neither a signal nor a fetch, and it resolves with a text when an answer is not exactly
 * `application/json`; so the wait is bounded here and the answer's shape is checked.
 * @throws ProviderError when the SDK fails or its answer is no number
 */
export async function countUsersWithSdk(context: ConnectorContext, secretKey: string): Promise<number> {
  const { createClerkClient } = await import("@clerk/backend");
  const client = createClerkClient({
    secretKey,
    apiUrl: context.baseUrl ?? defaultBaseUrl,
    userAgent,
    telemetry: { disabled: true },
  });
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(requestTimeoutMsDefault)]);
  const count: unknown = await untilAborted(signal, () => client.users.getCount()).catch((error: unknown) => {
    throw sdkError(error);
  });
  if (typeof count === "number" && Number.isInteger(count) && count >= 0) return count;
  throw new ProviderError("clerk", "invalid_response", "the answer has an unexpected shape");
}

function get<T>(
  context: ConnectorContext,
  secretKey: string,
  path: string,
  schema: z.ZodType<T>,
): Promise<T> {
  const headers = { authorization: `Bearer ${secretKey}`, "clerk-api-version": apiVersion };
  const url = `${(context.baseUrl ?? defaultBaseUrl).replace(/\/$/, "")}/v1${path}`;
  return requestJson({ provider: "clerk", context, method: "GET", url, headers }, schema);
}

function hostOf(url: string): string | undefined {
  return URL.parse(url)?.hostname.toLowerCase();
}

function sdkError(error: unknown): ProviderError {
  if (!(error instanceof Error) || !("status" in error) || typeof error.status !== "number") {
    return transportError("clerk", error);
  }
  const retryAfter =
    "retryAfter" in error && typeof error.retryAfter === "number" ? error.retryAfter : undefined;
  const headers = new Headers(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) });
  return statusError("clerk", { status: error.status, headers });
}

async function untilAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const end = () => reject(signal.reason);
  signal.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([work(), promise]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}
