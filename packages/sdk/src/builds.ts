import type {
  BuildList,
  BuildView,
  CreateBuildBody,
  CreateBuildTokenBody,
  CreateHandoffBody,
  EnvFormat,
  EnvProfile,
  Handoff,
  IssuedToken,
  RenewBody,
  TokenList,
  VisitList,
} from "@keyloan/contract";
import { pathSegment } from "./address.ts";
import { bodyOf } from "./answer.ts";
import type { Caller } from "./call.ts";
import { KeyloanError } from "./errors.ts";
import { eachOfPages, type PageQuery } from "./pages.ts";
import { withRetries } from "./retry.ts";

// The broker's own default; the client must know it to be patient for long enough.
const waitSecondsDefault = 25;
// Closing and renewing a build take the broker to the providers before it answers.
const providerTimeMs = 60_000;

export type CreateBuildOptions = {
  /** How long the broker holds its answer until the build is ready: 0 to 60, by default 25 seconds. */
  readonly waitSeconds?: number | undefined;
  /** The same key and body give the same build. A random one by default, kept over retries. */
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type BuildListQuery = PageQuery & { readonly state?: string | undefined };

export type EnvOptions = {
  /** Default: the build's own. */
  readonly profile?: EnvProfile | undefined;
  /** Sets of copied names to add, such as `["aws"]`. */
  readonly copies?: readonly string[] | undefined;
  /** What the format `kubernetes` calls the Secret; default `app-env`. */
  readonly name?: string | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type BuildsApi = {
  /**
   * Makes a build and waits for it. Not every answer is `ready`: look at `state` and at each lease.
   * Repeated up to twice with the same idempotency key when the connection fails or the answer is 503.
   */
  readonly create: (body: CreateBuildBody, options?: CreateBuildOptions) => Promise<BuildView>;
  /** One page of builds, newest first. */
  readonly list: (query?: BuildListQuery) => Promise<BuildList>;
  /** Every build, fetched page by page. */
  readonly listAll: (query?: BuildListQuery) => AsyncGenerator<BuildView, void, void>;
  readonly get: (buildId: string) => Promise<BuildView>;
  /** Ends a build: credentials revoked, values destroyed. Closing a closed build changes nothing. */
  readonly close: (buildId: string) => Promise<BuildView>;
  /** Moves the expiry of a build, within its longest life. */
  readonly renew: (buildId: string, body?: RenewBody) => Promise<BuildView>;
  /** A token that reads this build's env and nothing else. It is shown this once. */
  readonly createToken: (buildId: string, body?: CreateBuildTokenBody) => Promise<IssuedToken>;
  /** One page of the build's tokens, newest first; never their text. */
  readonly listTokens: (buildId: string, query?: PageQuery) => Promise<TokenList>;
  /** Ends a token of the build. */
  readonly revokeToken: (buildId: string, tokenId: string) => Promise<void>;
  /** Visits of the build's settings page, newest first. */
  readonly listSessions: (buildId: string) => Promise<VisitList>;
  /** Ends a visit. Whoever can prove to be the build's person comes in again. */
  readonly endSession: (buildId: string, sessionId: string) => Promise<void>;
  /** A link to the settings page, where the user brings keys of their own. It opens once and is shown this once. */
  readonly createHandoff: (buildId: string, body?: CreateHandoffBody) => Promise<Handoff>;
  /** The env of a build, by variable name. */
  readonly env: (buildId: string, options?: EnvOptions) => Promise<Record<string, string>>;
  /** The env of a build as the text of a file. */
  readonly envText: (buildId: string, format: EnvFormat, options?: EnvOptions) => Promise<string>;
};

/** The calls on builds. Every one of them may throw KeyloanError. */
export function buildsApi(caller: Caller): BuildsApi {
  const list = async (query: BuildListQuery = {}) => {
    const answer = await caller.call({ method: "GET", path: "/v1/builds", query, expect: "json" });
    return bodyOf<BuildList>(caller.base, answer, ["builds"]);
  };
  const onBuild = async (method: "GET" | "POST" | "DELETE", buildId: string, action = "", body?: object) => {
    const path = buildPath(buildId) + action;
    const extraTimeMs = method === "DELETE" || action === "/renew" ? providerTimeMs : 0;
    return caller.call({
      method,
      path,
      expect: "json",
      extraTimeMs,
      ...(body === undefined ? {} : { body }),
    });
  };
  const read = (buildId: string, part: string, query: PageQuery = {}) =>
    caller.call({ method: "GET", path: buildPath(buildId) + part, query, expect: "json" });
  const end = async (path: string) => {
    await caller.call({ method: "DELETE", path, expect: "nothing" });
  };
  const buildOf = async (answer: ReturnType<typeof onBuild>) =>
    bodyOf<BuildView>(caller.base, await answer, ["id", "state", "leases"]);
  return {
    create: (body, options = {}) => createBuild(caller, body, options),
    list,
    listAll: (query = {}) =>
      eachOfPages(
        (cursor) => list({ ...query, cursor }),
        (page) => page.builds,
        query.cursor,
      ),
    get: (buildId) => buildOf(onBuild("GET", buildId)),
    close: (buildId) => buildOf(onBuild("DELETE", buildId)),
    renew: (buildId, body = {}) => buildOf(onBuild("POST", buildId, "/renew", body)),
    createToken: async (buildId, body = {}) =>
      bodyOf<IssuedToken>(caller.base, await onBuild("POST", buildId, "/tokens", body), ["id", "token"]),
    listTokens: async (buildId, query) =>
      bodyOf<TokenList>(caller.base, await read(buildId, "/tokens", query), ["tokens"]),
    revokeToken: (buildId, tokenId) =>
      end(`${buildPath(buildId)}/tokens/${pathSegment(tokenId, "the token id")}`),
    listSessions: async (buildId) =>
      bodyOf<VisitList>(caller.base, await read(buildId, "/sessions"), ["sessions"]),
    endSession: (buildId, sessionId) =>
      end(`${buildPath(buildId)}/sessions/${pathSegment(sessionId, "the session id")}`),
    createHandoff: async (buildId, body = {}) =>
      bodyOf<Handoff>(caller.base, await onBuild("POST", buildId, "/handoff", body), ["url"]),
    env: (buildId, options = {}) => readEnv(caller, buildId, options),
    envText: async (buildId, format, options = {}) => {
      const expect = format === "json" ? "json" : "text";
      return (await callEnv(caller, buildId, format, expect, options)).text;
    },
  };
}

async function createBuild(
  caller: Caller,
  body: CreateBuildBody,
  options: CreateBuildOptions,
): Promise<BuildView> {
  const idempotencyKey = options.idempotencyKey ?? (await import("node:crypto")).randomUUID();
  const answer = await withRetries(
    () =>
      caller.call({
        method: "POST",
        path: "/v1/builds",
        query: { wait: options.waitSeconds },
        body,
        headers: { "idempotency-key": checkedKey(idempotencyKey) },
        extraTimeMs: (options.waitSeconds ?? waitSecondsDefault) * 1000,
        expect: "json",
        signal: options.signal,
      }),
    caller.sleep,
  );
  return bodyOf<BuildView>(caller.base, answer, ["id", "state", "leases"]);
}

function checkedKey(key: string): string {
  if (/^[\x21-\x7e]{1,200}$/.test(key)) return key;
  throw new KeyloanError("invalid_argument", "The idempotency key is malformed.", {
    remedy: "Use 1 to 200 visible ASCII characters without spaces.",
  });
}

async function readEnv(
  caller: Caller,
  buildId: string,
  options: EnvOptions,
): Promise<Record<string, string>> {
  const answer = await callEnv(caller, buildId, "json", "json", options);
  const env = bodyOf<Record<string, unknown>>(caller.base, answer, []);
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || typeof value !== "string" || value.includes("\0")) {
      throw new KeyloanError("not_a_broker", "The env in the answer holds something that no env can hold.", {
        remedy: "Check that KEYLOAN_URL is the address of a Keyloan broker of this version.",
      });
    }
    values[name] = value;
  }
  return values;
}

function callEnv(
  caller: Caller,
  buildId: string,
  format: EnvFormat,
  expect: "json" | "text",
  options: EnvOptions,
) {
  const { profile, name } = options;
  const query = { format, profile, name, copies: options.copies?.join(",") || undefined };
  const path = `${buildPath(buildId)}/env`;
  return caller.call({ method: "GET", path, query, expect, signal: options.signal });
}

function buildPath(buildId: string): string {
  return `/v1/builds/${pathSegment(buildId, "the build id")}`;
}
