import { type ConnectorContext, Secret, type SecretValues, trimEndOf } from "@keyloan/contract";
import * as z from "zod";
import { requireField } from "../kit/define-connector.ts";
import { type ProviderResponse, parseJson, send } from "../kit/http.ts";
import { listOf } from "../kit/list-schema.ts";
import { unlessGone } from "../kit/named-resource.ts";
import { tokenApiError, unlessRefused } from "./account-token-errors.ts";
import { invalidResponse, provider } from "./errors.ts";

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

/**
 * The few calls on an account's own API tokens ("Cloudflare API, accounts/tokens"). All throw
 * ProviderError only, without the provider's words.
 */
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

const apiAddress = "https://api.cloudflare.com";
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
  const call = createCall(context, apiToken);
  const tokensPath = `accounts/${encodeURIComponent(requireField(fields, "accountId"))}/tokens`;
  const readPage = (page: number) => call("GET", pagePath(tokensPath, page), tokensSchema);
  const verify = async (path: string) => {
    const answer = await call("GET", path, verifiedSchema).catch(unlessRefused);
    return answer?.result.status === "active" ? answer.result : undefined;
  };
  return {
    findPermissionGroup: async (name) => {
      const path = `${tokensPath}/permission_groups?name=${encodeURIComponent(name)}`;
      const { result } = await call("GET", path, permissionGroupsSchema);
      return result.find((group) => group.name === name)?.id;
    },
    create: async (token) => {
      const { result } = await call("POST", tokensPath, createdSchema, createBody(token));
      return { id: result.id, value: Secret.of(result.value) };
    },
    find: async (name) => {
      const found = await listTokens(readPage, (candidate) => candidate === name);
      return found.map(({ id }) => id);
    },
    list: (fits) => listTokens(readPage, fits),
    remove: async (id) => {
      await unlessGone(call("DELETE", `${tokensPath}/${encodeURIComponent(id)}`, doneSchema));
    },
    // A token of a person is verified elsewhere than one of the account.
    isActive: async () =>
      (await verify(`${tokensPath}/verify`)) !== undefined ||
      (await verify("user/tokens/verify")) !== undefined,
    ownId: async () => (await verify(`${tokensPath}/verify`))?.id,
  };
}

/** The key of a bucket in a token's policy ("R2 API tokens, create API tokens via API"). */
export function bucketResource(fields: SecretValues): string {
  const jurisdiction = fields.jurisdiction?.reveal() ?? "default";
  const bucket = requireField(fields, "bucket");
  return `com.cloudflare.edge.r2.bucket.${requireField(fields, "accountId")}_${jurisdiction}_${bucket}`;
}

const idSchema = z.string().regex(/^[A-Za-z0-9]{16,64}$/);
const createdSchema = z.object({
  success: z.literal(true),
  result: z.object({ id: idSchema, value: z.string().min(16) }),
});
const permissionGroupsSchema = z.object({
  success: z.literal(true),
  result: listOf(z.object({ id: idSchema, name: z.string() })),
});
const tokensSchema = z.object({
  success: z.literal(true),
  result: listOf(z.object({ id: idSchema, name: z.string() })),
  result_info: z.object({ per_page: z.int().min(1), total_count: z.int().min(0) }),
});
const verifiedSchema = z.object({
  success: z.literal(true),
  result: z.object({ id: idSchema, status: z.string() }),
});
const doneSchema = z.object({ success: z.literal(true) });

type TokensPage = z.infer<typeof tokensSchema>;

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

const pagePath = (tokensPath: string, page: number) =>
  `${tokensPath}?page=${page}&per_page=${pageSizeMax}&direction=asc`;

function createBody({ name, permissionGroupId, resource, expiresAtSeconds }: NewAccountToken) {
  return {
    name,
    policies: [
      {
        effect: "allow",
        permission_groups: [{ id: permissionGroupId }],
        resources: { [resource]: "*" },
      },
    ],
    // The documented form has no fraction of seconds.
    expires_on: new Date(expiresAtSeconds * 1000).toISOString().replace(/\.\d+Z$/, "Z"),
  };
}

type Call = <T>(
  method: "GET" | "POST" | "DELETE",
  path: string,
  schema: z.ZodType<T>,
  body?: object,
) => Promise<T>;

function createCall(context: ConnectorContext, apiToken: Secret): Call {
  const base = `${trimEndOf(context.baseUrl ?? apiAddress, "/")}/client/v4`;
  return async (method, path, schema, body) => {
    const response = await send({
      provider,
      context,
      method,
      url: `${base}/${path}`,
      headers: {
        authorization: `Bearer ${apiToken.reveal()}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return parseAnswer(response, schema);
  };
}

function parseAnswer<T>(response: ProviderResponse, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(parseJson(response.text));
  if (parsed.success && response.status >= 200 && response.status <= 299) return parsed.data;
  throw tokenApiError(response);
}
