import {
  type ConnectorContext,
  codeOfStatus,
  ProviderError,
  type ProviderErrorCode,
  type Secret,
  type SecretValues,
} from "@keyloan/contract";
import * as z from "zod";
import { type Api, openCalls } from "../kit/calls/open-calls.ts";
import { requireField } from "../kit/define-connector.ts";
import { unlessGone } from "../kit/named-resource.ts";
import { accountCalls } from "./calls.ts";
import { invalidResponse, provider } from "./errors.ts";
import { accountTokensPage } from "./spec.ts";

/** What a new token may reach and until when. Times are whole seconds since the epoch. */
export type NewAccountToken = {
  readonly name: string;
  readonly permissionGroupId: string;
  /** The key of the one thing it is for, such as {@link bucketResource}. */
  readonly resource: string;
  readonly expiresAtSeconds: number;
};

export type NamedToken = { readonly id: string; readonly name: string };
export type CreatedAccountToken = { readonly id: string; readonly value: Secret };

/** The account's own API tokens. All throw ProviderError only, without the provider's words. */
export type AccountTokens = {
  /** The id of a permission group by its exact name, or `undefined` when the account has none of it. */
  readonly findPermissionGroup: (name: string) => Promise<string | undefined>;
  /** Not idempotent: asked twice, there are two of the name. */
  readonly create: (token: NewAccountToken) => Promise<CreatedAccountToken>;
  /** The ids of all tokens of exactly this name. */
  readonly find: (name: string) => Promise<readonly string[]>;
  /** All tokens whose name fits. */
  readonly list: (fits: (name: string) => boolean) => Promise<readonly NamedToken[]>;
  /** "Not there" is success. */
  readonly remove: (id: string) => Promise<void>;
  /** Whether Cloudflare knows the API token itself and it is active. */
  readonly isActive: () => Promise<boolean>;
  /** The id of the API token itself, or `undefined` when it is no active token of this account. */
  readonly ownId: () => Promise<string | undefined>;
};

/** The most a page of tokens holds ("accounts/tokens, list"). */
const pageSizeMax = 50;
const pagesMax = 1_000;

/** The tokens of the org's account, or `undefined` when the org key has no API token. */
export function openAccountTokens(
  context: ConnectorContext,
  fields: SecretValues,
): AccountTokens | undefined {
  const { apiToken } = fields;
  if (apiToken === undefined) return undefined;
  const calls = openCalls(api, accountCalls, context, apiToken.reveal());
  const params = { accountId: requireField(fields, "accountId") };
  const readPage = (page: number) =>
    calls.listTokens({ params, query: { page, per_page: pageSizeMax, direction: "asc" } });
  const list = (fits: (name: string) => boolean) => listTokens(readPage, fits);
  const ownId = () => idOfActive(calls.verifyToken({ params }));
  return {
    findPermissionGroup: async (name) => {
      const { result } = await calls.listPermissionGroups({ params, query: { name } });
      return result.find((group) => group.name === name)?.id;
    },
    create: async (token) => (await calls.createToken({ params, body: bodyOf(token) })).result,
    find: async (name) => (await list((candidate) => candidate === name)).map(({ id }) => id),
    list,
    remove: async (id) => void (await unlessGone(calls.deleteToken({ params: { ...params, id } }))),
    isActive: async () => ((await ownId()) ?? (await idOfActive(calls.verifyUserToken()))) !== undefined,
    ownId,
  };
}

/** The key of a bucket in a token's policy ("R2 API tokens, create API tokens via API"). */
export function bucketResource(fields: SecretValues): string {
  const jurisdiction = fields.jurisdiction?.reveal() ?? "default";
  const bucket = requireField(fields, "bucket");
  return `com.cloudflare.edge.r2.bucket.${requireField(fields, "accountId")}_${jurisdiction}_${bucket}`;
}

function bodyOf({ name, permissionGroupId, resource, expiresAtSeconds }: NewAccountToken) {
  const permission_groups: [{ id: string }] = [{ id: permissionGroupId }];
  const policy = { effect: "allow" as const, permission_groups, resources: { [resource]: "*" as const } };
  const expires_on = new Date(expiresAtSeconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
  return { name, policies: [policy] as [typeof policy], expires_on };
}

type TokensPage = z.output<typeof accountCalls.listTokens.answer>;

/**
 * Reads the pages from the last to the first: what others delete meanwhile moves the rest towards pages
 * that are still to be read, so none is passed over.
 */
async function listTokens(
  readPage: (page: number) => Promise<TokensPage>,
  fits: (name: string) => boolean,
): Promise<NamedToken[]> {
  const found = new Map<string, NamedToken>();
  const keep = ({ result }: TokensPage) => {
    for (const token of result) if (fits(token.name)) found.set(token.id, token);
  };
  const first = await readPage(1);
  keep(first);
  const { total_count: total, per_page: perPage } = first.result_info;
  const pages = Math.ceil(total / Math.min(perPage, pageSizeMax));
  if (pages > pagesMax) throw invalidResponse("lists more account API tokens than an account can have");
  for (let page = pages; page >= 1 && pages > 1; page--) keep(await readPage(page));
  return [...found.values()];
}

/** The id that an active token is verified with; for the token itself a refusal is an answer. */
async function idOfActive(
  verified: Promise<z.output<typeof accountCalls.verifyToken.answer>>,
): Promise<string | undefined> {
  const refusals: readonly ProviderErrorCode[] = ["unauthorized", "forbidden", "rejected", "not_found"];
  try {
    const { result } = await verified;
    return result.status === "active" ? result.id : undefined;
  } catch (error) {
    if (error instanceof ProviderError && refusals.includes(error.code)) return undefined;
    throw error;
  }
}

const failure = z.object({ errors: z.array(z.object({ message: z.string() })) });

/** The words of an answer are read for what its status alone does not tell, and go no further. */
function readRefusal(status: number, body: unknown): ProviderErrorCode {
  const code = codeOfStatus(status);
  if (code !== "forbidden" && code !== "rejected" && code !== "conflict") return code;
  const words =
    failure
      .safeParse(body)
      .data?.errors.map(({ message }) => message)
      .join(" ") ?? "";
  // A token that is none is answered 400 or 403 as well, by its form and by the call.
  if (/invalid (?:access|api) token|invalid request headers/i.test(words)) return "unauthorized";
  // Which code a full account answers with is not documented; the words for it are few.
  if (/\b(?:quota|limit|maximum|too many)\b/i.test(words)) return "quota_exceeded";
  return code;
}

const api: Api = {
  provider,
  baseUrl: "https://api.cloudflare.com",
  readRefusal,
  remedies: {
    unauthorized: `Cloudflare refuses the API token of the org key: make a new one at ${accountTokensPage} and set the key again with \`keyloan org-keys set\`.`,
    forbidden: `Give the API token of the org key the permission Account API Tokens: Edit at ${accountTokensPage}.`,
    quota_exceeded: `The account has reached its limit of API tokens, 500 by default: close builds that are done, delete unused tokens at ${accountTokensPage}, or ask Cloudflare for more.`,
  },
};
