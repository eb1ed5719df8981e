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
import { buildRoutes, handoffRoutes, visitRoutes } from "@keyloan/contract/calls";
import { ask, type Caller, send } from "./call.ts";
import { KeyloanError } from "./errors.ts";
import { eachOfPages, type PageQuery } from "./pages.ts";
import { withRetries } from "./retry.ts";

// The broker's own default; the client must know it to be patient for long enough.

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
  const list = (query: BuildListQuery = {}) => ask(caller, buildRoutes.list, { query });
  return {
    create: (body, options = {}) => createBuild(caller, body, options),
    list,
    listAll: (query = {}) => eachOfPages(list, ({ builds }) => builds, query),
    get: (id) => ask(caller, buildRoutes.show, { params: { id } }),
    close: (id) => ask(caller, buildRoutes.close, { params: { id } }),
    renew: (id, body = {}) => ask(caller, buildRoutes.renew, { params: { id }, body }),
    createToken: (id, body = {}) => ask(caller, buildRoutes.token, { params: { id }, body }),
    listTokens: (id, query = {}) => ask(caller, visitRoutes.tokens, { params: { id }, query }),
    revokeToken: async (id, tokenId) => {
      await send(caller, visitRoutes.endToken, { params: { id, tokenId } }, "nothing");
    },
    listSessions: (id) => ask(caller, visitRoutes.sessions, { params: { id } }),
    endSession: async (id, sessionId) => {
      await send(caller, visitRoutes.endSession, { params: { id, sessionId } }, "nothing");
    },
    createHandoff: (id, body = {}) => ask(caller, handoffRoutes.handoff, { params: { id }, body }),
    env: (id, options = {}) => readEnv(caller, id, options),
    envText: async (id, format, options = {}) => {
      const expect = format === "json" ? "json" : "text";
      return (await callEnv(caller, id, format, expect, options)).text;
    },
  };
}

async function createBuild(
  caller: Caller,
  body: CreateBuildBody,
  options: CreateBuildOptions,
): Promise<BuildView> {
  const idempotencyKey = options.idempotencyKey ?? (await import("node:crypto")).randomUUID();
  const headers = { "idempotency-key": checkedKey(idempotencyKey) };
  const rules = { headers, signal: options.signal };
  const input = { query: { wait: options.waitSeconds }, body };
  return withRetries(() => ask(caller, buildRoutes.create, input, rules), caller.sleep);
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
  const { body = {} } = await callEnv(caller, buildId, "json", "json", options);
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(body)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || typeof value !== "string" || value.includes("\0")) {
      throw new KeyloanError(
        "not_a_broker",
        "The env in the answer contains something that no env can hold.",
        {
          remedy: "Check that KEYLOAN_URL is the address of a Keyloan broker of this version.",
        },
      );
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
  return send(caller, buildRoutes.readEnv, { params: { id: buildId }, query }, expect, {
    signal: options.signal,
  });
}
