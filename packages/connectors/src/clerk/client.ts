import { type ConnectorContext, type ProviderError, userAgent } from "@keyloan/contract";
import * as z from "zod";
import { callsThrough } from "../kit/calls/define-calls.ts";
import { openCalls } from "../kit/calls/open-calls.ts";
import { requestTimeoutMsDefault, statusError } from "../kit/http.ts";
import { listOf } from "../kit/list-schema.ts";
import { transportError } from "../kit/transport-error.ts";

const api = {
  provider: "clerk",
  baseUrl: "https://api.clerk.com",
  headers: { "clerk-api-version": "2026-05-12" },
};
const keySet = z
  .object({ keys: listOf(z.object({ kid: z.string().min(1) })).refine(({ length }) => length > 0) })
  .transform(({ keys }) => keys.map(({ kid }) => kid));
const domain = z.object({
  object: z.literal("domain"),
  name: z.string(),
  frontend_api_url: z.string(),
  proxy_url: z.string().nullish(),
});

const { get } = callsThrough();
/** The calls of Clerk's Backend API; the last one is of an instance's Frontend API, on the host that its key names. */
export const clerkCalls = {
  readInstance: get("/v1/instance", {
    doc: "Backend API, GetInstance",
    answer: z
      .object({
        object: z.literal("instance"),
        id: z.string().min(1).max(200),
        environment_type: z.string().min(1).max(40),
      })
      .transform(({ id, environment_type }) => ({ id, environment: environment_type })),
  }),
  listDomains: get("/v1/domains", {
    doc: "Backend API, ListDomains",
    answer: z.object({ data: listOf(domain) }).transform(({ data }) => data.map(hostsOf)),
  }),
  countUsers: get("/v1/users/count", {
    doc: "Backend API, GetUsersCount",
    answer: z
      .object({ object: z.literal("total_count"), total_count: z.int().min(0) })
      .transform(({ total_count }) => total_count),
  }),
  readKeyIds: get("/v1/jwks", { doc: "Backend API, GetJWKS", answer: keySet }),
  readPublicKeyIds: get("/.well-known/jwks.json", { doc: "Frontend API, jwks", answer: keySet }),
};

/** The hosts of a domain: that of its Frontend API, and all. */
export type ClerkDomain = { readonly frontendHost: string | undefined; readonly hosts: readonly string[] };

function hostsOf({ name, frontend_api_url, proxy_url }: z.output<typeof domain>): ClerkDomain {
  const frontendHost = hostOf(frontend_api_url);
  const others = [name.toLowerCase(), hostOf(proxy_url ?? "")];
  return { frontendHost, hosts: [frontendHost, ...others].filter((host) => host !== undefined) };
}

/** The Backend API with one secret key. */
export const openClerk = (context: ConnectorContext, secretKey: string) =>
  openCalls(api, clerkCalls, context, secretKey);

/** The ids of the signing keys as a Frontend API host shows them to everyone. The caller has judged the host. */
export async function readPublicKeyIds(context: ConnectorContext, host: string): Promise<readonly string[]> {
  const { baseUrl: _instead, ...asked } = context;
  return openCalls({ ...api, baseUrl: `https://${host}` }, clerkCalls, asked, undefined).readPublicKeyIds();
}

const sdkCalls = {
  countUsers: callsThrough<ClerkSdk>().get(
    "/v1/users/count",
    { doc: "Backend SDK, users.getCount", answer: z.int().min(0) },
    (sdk) => sdk(({ users }) => users.getCount()),
  ),
};

type ClerkSdk = <T>(ask: (client: ReturnType<CreateClient>) => Promise<T>) => Promise<T>;
type CreateClient = typeof import("@clerk/backend").createClerkClient;

/**
 * Counts users through `@clerk/backend`, the way an app reaches Clerk.
 *
 * The SDK takes neither a signal nor a fetch, and it resolves with a text when an answer is not exactly
 * `application/json`; so the wait is bounded here and the answer's shape is checked.
 * @throws ProviderError when the SDK fails or its answer is no number
 */
export async function countUsersWithSdk(context: ConnectorContext, secretKey: string): Promise<number> {
  return openCalls(api, sdkCalls, context, secretKey, async () => {
    const { createClerkClient } = await import("@clerk/backend");
    const apiUrl = context.baseUrl ?? api.baseUrl;
    const client = createClerkClient({ secretKey, apiUrl, userAgent, telemetry: { disabled: true } });
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(requestTimeoutMsDefault)]);
    const sdk: ClerkSdk = (ask) =>
      untilAborted(signal, () => ask(client)).catch((error: unknown) => {
        throw sdkError(error);
      });
    return sdk;
  }).countUsers();
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
