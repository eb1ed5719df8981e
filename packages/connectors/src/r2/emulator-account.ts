import { createHash } from "node:crypto";
import type { Context } from "hono";
import * as z from "zod";
import type { FaultQueue } from "../kit/emulator.ts";
import { createEmulatorApp, type EmulatorApp, type EmulatorEnv, requireBearer } from "../kit/emulator-app.ts";
import { parseJson } from "../kit/http.ts";
import type { OrgKeys } from "./emulator-org-keys.ts";
import type { AccountToken, EmulatedTokens } from "./emulator-tokens.ts";

export type AccountApi = {
  /** The tokens that a person made; those for tokens may edit the account's. */
  readonly org: OrgKeys;
  readonly tokens: EmulatedTokens;
  readonly faults: FaultQueue;
  readonly nowMs: () => number;
  /** How many tokens the account may have. */
  readonly tokensMax: number;
};

/** Paths of Cloudflare's management API; everything else on the port is S3. */
export const isAccountPath = (path: string) => path.startsWith("/client/v4/");

/**
 * The account's API tokens as Cloudflare documents them ("Cloudflare API, accounts/tokens"). A policy field
 * that would not be enforced is refused.
 */
export function createAccountApp(api: AccountApi): EmulatorApp {
  const { org, tokens, faults } = api;
  const { accountId } = org;
  const app = createEmulatorApp({ faults, errorBody: (status) => JSON.stringify(failure(status)) });
  const refuse = () => refusal(401);
  const mayEdit = (key: string) => org.idOfApiToken(key) !== undefined;
  const isKnown = (key: string) => mayEdit(key) || tokens.findByValue(key) !== undefined;
  app.use("/client/v4/*", requireBearer(isKnown, refuse));
  app.get(`/client/v4/accounts/${accountId}/tokens/verify`, (context) => verify(context, api));
  // A token that is made for a bucket is genuine here too, and may do none of what follows.
  app.use(
    "/client/v4/*",
    requireBearer(mayEdit, () => refusal(403)),
  );
  const path = `/client/v4/accounts/${accountId}/tokens`;
  app.get(`${path}/permission_groups`, (context) => listGroups(context, accountId));
  app.get(path, (context) => listTokens(context, api));
  app.post(path, (context) => createToken(context, api));
  app.delete(`${path}/:id`, async (context) => {
    const id = context.req.param("id");
    const isDeleted = (await tokens.remove(id)) || (await org.end(id));
    return isDeleted ? context.json(success({ id })) : refusal(404);
  });
  return app;
}

function verify(context: Context<EmulatorEnv>, { org, tokens }: AccountApi): Response {
  const key = context.req.header("authorization")?.replace(/^bearer /i, "") ?? "";
  const id = org.idOfApiToken(key) ?? tokens.findByValue(key)?.id;
  return context.json(success({ id, status: "active" }));
}

const groupNames: Readonly<Record<string, AccountToken["access"]>> = {
  "Workers R2 Storage Bucket Item Read": "read",
  "Workers R2 Storage Bucket Item Write": "write",
};

// Other for each account, so that nobody takes an id for a constant.
const groupId = (accountId: string, name: string) =>
  createHash("sha256").update(`${accountId} ${name}`).digest("hex").slice(0, 32);

function listGroups(context: Context<EmulatorEnv>, accountId: string): Response {
  const name = context.req.query("name");
  const groups = Object.keys(groupNames).map((known) => ({
    id: groupId(accountId, known),
    name: known,
    scopes: ["com.cloudflare.edge.r2.bucket"],
  }));
  return context.json(success(groups.filter((group) => name === undefined || group.name === name)));
}

const pageSchema = z.object({
  page: z.coerce.number().int().min(1).default(1),
  per_page: z.coerce.number().int().min(5).max(50).default(20),
  direction: z.enum(["asc", "desc"]).default("desc"),
});

function listTokens(context: Context<EmulatorEnv>, { org: { accountId }, tokens }: AccountApi): Response {
  const query = pageSchema.safeParse(context.req.query());
  if (!query.success) return refusal(400);
  const { page, per_page: perPage, direction } = query.data;
  const all = [...tokens.list()];
  if (direction === "desc") all.reverse();
  const result = all
    .slice((page - 1) * perPage, page * perPage)
    .map((token) => describeToken(accountId, token));
  const info = { page, per_page: perPage, count: result.length, total_count: all.length };
  return context.json({ ...success(result), result_info: info });
}

const newTokenSchema = z.strictObject({
  name: z.string().min(1).max(120),
  policies: z
    .array(
      z.strictObject({
        effect: z.literal("allow"),
        permission_groups: z.array(z.strictObject({ id: z.string() })).length(1),
        resources: z.record(z.string(), z.literal("*")),
      }),
    )
    .length(1),
  expires_on: z.iso.datetime({ precision: 0 }).optional(),
});

async function createToken(context: Context<EmulatorEnv>, api: AccountApi): Promise<Response> {
  const { tokens, nowMs, tokensMax } = api;
  const { accountId } = api.org;
  const body = newTokenSchema.safeParse(parseJson(await context.req.text()));
  const policy = body.data?.policies[0];
  if (!body.success || policy === undefined) return refusal(400);
  const { name, expires_on: expiresOn } = body.data;
  const access = accessOf(accountId, policy.permission_groups[0]?.id);
  const buckets = Object.keys(policy.resources).map((resource) => bucketOf(accountId, resource));
  const known = buckets.filter((bucket) => bucket !== undefined);
  const expiresAt = expiresOn === undefined ? undefined : Date.parse(expiresOn);
  const isOver = expiresAt !== undefined && expiresAt <= nowMs();
  if (access === undefined || isOver || known.length === 0 || known.length < buckets.length)
    return refusal(400);
  if (Number.isFinite(tokensMax) && tokens.list().length >= tokensMax)
    return refusal(400, "You have reached the maximum number of tokens");
  const given = { name, buckets: known, access, ...(expiresAt === undefined ? {} : { expiresAt }) };
  const { value, ...token } = await tokens.create(given);
  return context.json(success({ ...describeToken(accountId, token), value }));
}

const accessOf = (accountId: string, id: string | undefined) =>
  Object.entries(groupNames).find(([name]) => groupId(accountId, name) === id)?.[1];

/** The bucket of a resource key; the stand-in's buckets are in no jurisdiction. */
function bucketOf(accountId: string, resource: string): string | undefined {
  const prefix = `com.cloudflare.edge.r2.bucket.${accountId}_default_`;
  return resource.startsWith(prefix) ? resource.slice(prefix.length) : undefined;
}

function describeToken(accountId: string, token: AccountToken): object {
  const { id, name, buckets, access, issuedAt, expiresAt } = token;
  const group = Object.keys(groupNames).find((known) => groupNames[known] === access) ?? "";
  const resources = buckets.map((bucket) => [
    `com.cloudflare.edge.r2.bucket.${accountId}_default_${bucket}`,
    "*",
  ]);
  return {
    id,
    name,
    status: "active",
    issued_on: toDateTime(issuedAt),
    ...(expiresAt === undefined ? {} : { expires_on: toDateTime(expiresAt) }),
    policies: [
      {
        effect: "allow",
        permission_groups: [{ id: groupId(accountId, group), name: group }],
        resources: Object.fromEntries(resources),
      },
    ],
  };
}

const toDateTime = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

const success = (result: unknown) => ({ success: true, errors: [], messages: [], result });

/** Cloudflare's codes by status, as its answers show them. */
const failures: Readonly<Record<number, readonly [code: number, message: string]>> = {
  400: [1001, "Invalid request"],
  401: [10000, "Authentication error"],
  403: [9109, "Unauthorized to access requested resource"],
  404: [7003, "Could not route to the requested resource"],
  429: [971, "Please wait and consider throttling your request speed"],
};

function failure(status: number, words?: string) {
  const [code, message] = failures[status] ?? [10001, "Internal error"];
  return { success: false, errors: [{ code, message: words ?? message }], messages: [], result: null };
}

const refusal = (status: 400 | 401 | 403 | 404, words?: string) =>
  Response.json(failure(status, words), { status });
