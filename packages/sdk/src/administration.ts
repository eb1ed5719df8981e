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
import { catalogRoutes, healthRoutes, orgKeyRoutes, tokenRoutes } from "@keyloan/contract/calls";
import { ask, type Caller, send } from "./call.ts";
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

export function orgKeysApi(caller: Caller): OrgKeysApi {
  return {
    list: () => ask(caller, orgKeyRoutes.list, {}),
    get: (connector) => ask(caller, orgKeyRoutes.show, { params: { connector } }),
    put: (connector, fields) => ask(caller, orgKeyRoutes.put, { params: { connector }, body: { fields } }),
    remove: async (connector) => {
      await send(caller, orgKeyRoutes.remove, { params: { connector } }, "nothing");
    },
    retire: (connector, body = {}) => ask(caller, orgKeyRoutes.retire, { params: { connector }, body }),
  };
}

export type TokensApi = {
  /** A platform API token. It is shown this once. */
  readonly create: (body: CreateApiTokenBody) => Promise<IssuedToken>;
  readonly list: (query?: PageQuery) => Promise<TokenList>;
  readonly listAll: () => AsyncGenerator<TokenView, void, void>;
  /** Ends a token. `leaked`: so do the links that it made, and visits of their builds that have proven nobody. */
  readonly revoke: (tokenId: string, options?: { readonly leaked?: boolean }) => Promise<void>;
};

export function tokensApi(caller: Caller): TokensApi {
  const list = (query: PageQuery = {}) => ask(caller, tokenRoutes.list, { query });
  return {
    create: (body) => ask(caller, tokenRoutes.create, { body }),
    list,
    listAll: () => eachOfPages(list, ({ tokens }) => tokens, {}),
    revoke: async (id, { leaked } = {}) => {
      await send(
        caller,
        tokenRoutes.revoke,
        { params: { id }, query: { leaked: leaked ? "true" : undefined } },
        "nothing",
      );
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

export function healthApi(caller: Caller): HealthApi {
  const rules = { alsoFine: [503] };
  return {
    check: () => ask(caller, healthRoutes.health, {}, rules),
    live: () => ask(caller, healthRoutes.live, {}, rules),
    ready: () => ask(caller, healthRoutes.ready, {}, rules),
    warnings: () => ask(caller, healthRoutes.warnings, {}),
  };
}

export type CatalogApi = {
  /** Every connector of the broker: fields, env names, grades. */
  readonly get: () => Promise<Catalog>;
};

export function catalogApi(caller: Caller): CatalogApi {
  return { get: () => ask(caller, catalogRoutes.catalog, {}) };
}

export type RootKeyApi = {
  /** Which root keys wrap how many data keys, and how many are left. */
  readonly status: () => Promise<RootKeyStatus>;
  /** Wraps data keys under the current root key, for some seconds; no value is touched. Call until `left` is 0. */
  readonly rewrap: () => Promise<RewrapResult>;
};

export function rootKeyApi(caller: Caller): RootKeyApi {
  return {
    status: () => ask(caller, orgKeyRoutes.rootKey, {}),
    rewrap: () => ask(caller, orgKeyRoutes.rewrap, {}),
  };
}
