import type {
  Catalog,
  CreateApiTokenBody,
  Health,
  IssuedToken,
  OrgKeyList,
  OrgKeyView,
  RetireOrgKeyBody,
  RewrapResult,
  RootKeyStatus,
  TokenList,
  TokenView,
  WarningList,
} from "@keyloan/contract";
import { pathSegment } from "./address.ts";
import { bodyOf } from "./answer.ts";
import type { Caller } from "./call.ts";
import { eachOfPages, type PageQuery } from "./pages.ts";

export type OrgKeysApi = {
  readonly list: () => Promise<OrgKeyList>;
  /** Version, fingerprint and state; the broker never gives the values back. */
  readonly get: (connector: string) => Promise<OrgKeyView>;
  /** Checks the fields at the provider and seals them as a new version. */
  readonly put: (connector: string, fields: Readonly<Record<string, string>>) => Promise<OrgKeyView>;
  readonly remove: (connector: string) => Promise<void>;
  /** Asks now whether replaced versions are dead; with `end` they are ended at the provider first. */
  readonly retire: (connector: string, body?: RetireOrgKeyBody) => Promise<OrgKeyList>;
};

export function orgKeysApi({ base, call }: Caller): OrgKeysApi {
  const path = (connector: string) => `/v1/org-keys/${pathSegment(connector, "the connector id")}`;
  return {
    list: async () =>
      bodyOf<OrgKeyList>(base, await call({ method: "GET", path: "/v1/org-keys", expect: "json" }), [
        "orgKeys",
      ]),
    get: async (connector) =>
      bodyOf<OrgKeyView>(base, await call({ method: "GET", path: path(connector), expect: "json" }), [
        "version",
      ]),
    put: async (connector, fields) => {
      // The broker asks the provider about the key before it answers.
      const extraTimeMs = 20_000;
      const request = { method: "PUT", path: path(connector), body: { fields }, extraTimeMs } as const;
      return bodyOf<OrgKeyView>(base, await call({ ...request, expect: "json" }), ["version"]);
    },
    remove: async (connector) => {
      await call({ method: "DELETE", path: path(connector), expect: "nothing" });
    },
    retire: async (connector, body = {}) => {
      const request = { method: "POST", path: `${path(connector)}/retire`, body, expect: "json" } as const;
      return bodyOf<OrgKeyList>(base, await call({ ...request, extraTimeMs: 60_000 }), ["orgKeys"]);
    },
  };
}

export type TokensApi = {
  /** A platform API token. It is shown this once. */
  readonly create: (body: CreateApiTokenBody) => Promise<IssuedToken>;
  readonly list: (query?: PageQuery) => Promise<TokenList>;
  readonly listAll: () => AsyncGenerator<TokenView, void, void>;
  readonly revoke: (tokenId: string) => Promise<void>;
};

export function tokensApi({ base, call }: Caller): TokensApi {
  const path = "/v1/tokens";
  const list = async (query: PageQuery = {}) =>
    bodyOf<TokenList>(base, await call({ method: "GET", path, query, expect: "json" }), ["tokens"]);
  return {
    create: async (body) =>
      bodyOf<IssuedToken>(base, await call({ method: "POST", path, body, expect: "json" }), ["id", "token"]),
    list,
    listAll: () =>
      eachOfPages(
        (cursor) => list({ cursor }),
        (page) => page.tokens,
      ),
    revoke: async (tokenId) => {
      const tokenPath = `${path}/${pathSegment(tokenId, "the token id")}`;
      await call({ method: "DELETE", path: tokenPath, expect: "nothing" });
    },
  };
}

export type HealthApi = {
  readonly check: () => Promise<Health>;
  readonly live: () => Promise<Health>;
  /** Also when parts fail: look at `status` and at each part. */
  readonly ready: () => Promise<Health>;
  /** What the operator should fix of the broker's configuration; for the admin. */
  readonly warnings: () => Promise<WarningList>;
};

export function healthApi({ base, call }: Caller): HealthApi {
  const read = async (path: string) => {
    const answer = await call({ method: "GET", path, expect: "json", alsoFine: [503] });
    return bodyOf<Health>(base, answer, ["status"]);
  };
  return {
    check: () => read("/health"),
    live: () => read("/health/live"),
    ready: () => read("/health/ready"),
    warnings: async () => {
      const answer = await call({ method: "GET", path: "/v1/warnings", expect: "json" });
      return bodyOf<WarningList>(base, answer, ["warnings"]);
    },
  };
}

export type CatalogApi = {
  /** Every connector of the broker: fields, env names, grades. */
  readonly get: () => Promise<Catalog>;
};

export function catalogApi({ base, call }: Caller): CatalogApi {
  return {
    get: async () =>
      bodyOf<Catalog>(base, await call({ method: "GET", path: "/v1/catalog", expect: "json" }), [
        "connectors",
      ]),
  };
}

export type RootKeyApi = {
  /** Which root keys wrap how many data keys, and how many are left. */
  readonly status: () => Promise<RootKeyStatus>;
  /** Wraps data keys under the current root key, for some seconds; no value is touched. Call until `left` is 0. */
  readonly rewrap: () => Promise<RewrapResult>;
};

export function rootKeyApi({ base, call }: Caller): RootKeyApi {
  return {
    status: async () => {
      const answer = await call({ method: "GET", path: "/v1/root-key", expect: "json" });
      return bodyOf<RootKeyStatus>(base, answer, ["currentKeyId", "left", "rootKeys"]);
    },
    rewrap: async () => {
      const request = { method: "POST", path: "/v1/root-key/rewrap", expect: "json" } as const;
      const answer = await call({ ...request, extraTimeMs: 60_000 });
      return bodyOf<RewrapResult>(base, answer, ["dataKeys", "rewrapped", "left", "currentKeyId"]);
    },
  };
}
