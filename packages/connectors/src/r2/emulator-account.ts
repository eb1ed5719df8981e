import { createHash, randomBytes } from "node:crypto";
import { type S3Policy, s3Actions, s3ReadActions } from "@keyloan/local-servers";
import * as z from "zod";
import { randomText } from "../kit/emulator-state.ts";
import { Refused, type StandInApi, takeOut } from "../kit/stand-in/stand-in.ts";
import { accountCalls } from "./calls.ts";

const tokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  value: z.string(),
  /** `edit` is for the account's tokens, and for no object. */
  access: z.enum(["read", "write", "edit"]),
  /** Without them, all of the account. */
  buckets: z.array(z.string()).optional(),
  /** R2 confines permanent keys to buckets only; other stores of the kind confine them to prefixes too. */
  prefix: z.string().optional(),
  issuedAt: z.number(),
  /** Both in milliseconds since the epoch. */
  expiresAt: z.number().optional(),
});
export const accountSchema = z.object({
  accountId: z.string(),
  port: z.number(),
  tokens: z.array(tokenSchema),
});
export type R2Token = z.output<typeof tokenSchema>;
export type R2Account = z.output<typeof accountSchema>;

/** An S3 key and what it may do by itself; what is signed with it may do no more. */
export type KnownKey = { readonly secretAccessKey: string; readonly policy: S3Policy };

export const hex = (bytes: number) => randomBytes(bytes).toString("hex");

/** A token as the dashboard or the API makes it; what is given goes before. */
export const newToken = (access: R2Token["access"], given: Partial<R2Token> = {}): R2Token => ({
  ...{ id: hex(16), name: "keyloan", value: `cfat_${randomText(48)}`, access, issuedAt: 0 },
  ...given,
});

/** The secret of the S3 key that a token is ("R2 API tokens, get S3 API credentials from an API token"). */
export const secretOf = ({ value }: R2Token) => createHash("sha256").update(value).digest("hex");

const alive = ({ tokens }: R2Account, now: number) =>
  tokens.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now);

/** The S3 key of an id. */
export function findKey(account: R2Account, id: string, now: number): KnownKey | undefined {
  const token = alive(account, now).find((each) => each.id === id && each.access !== "edit");
  if (token === undefined) return undefined;
  const { access, buckets = "any", prefix, expiresAt } = token;
  const actions = new Set(access === "read" ? s3ReadActions : s3Actions);
  const confined = prefix === undefined ? {} : { prefixes: [prefix] };
  const ending = expiresAt === undefined ? {} : { expiresAt };
  return { secretAccessKey: secretOf(token), policy: { buckets, actions, ...confined, ...ending } };
}

const groups: Readonly<Record<string, R2Token["access"]>> = {
  "Workers R2 Storage Bucket Item Read": "read",
  "Workers R2 Storage Bucket Item Write": "write",
  "Account API Tokens Write": "edit",
};
// Other for each account, so that nobody takes an id for a constant.
const groupsOf = ({ accountId }: R2Account) =>
  Object.entries(groups).map(([name, access]) => {
    const id = createHash("sha256").update(`${accountId} ${name}`).digest("hex").slice(0, 32);
    return { id, name, access };
  });
/** The buckets are in no jurisdiction. */
const bucketPrefix = ({ accountId }: R2Account) => `com.cloudflare.edge.r2.bucket.${accountId}_default_`;

const dateTime = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
const success = (result: unknown) => ({ success: true, errors: [], messages: [], result });
const badRequest = new Refused(400);

function shown(account: R2Account, token: R2Token) {
  const { id, name, buckets, access, issuedAt, expiresAt } = token;
  const everything = `com.cloudflare.api.account.${account.accountId}`;
  const resources = buckets?.map((bucket) => bucketPrefix(account) + bucket) ?? [everything];
  const permission_groups = groupsOf(account).filter((group) => group.access === access);
  const policy = { effect: "allow", resources: Object.fromEntries(resources.map((each) => [each, "*"])) };
  const expires_on = expiresAt === undefined ? undefined : dateTime(expiresAt);
  const dates = { issued_on: dateTime(issuedAt), expires_on };
  return { id, name, status: "active", ...dates, policies: [{ ...policy, permission_groups }] };
}

/**
 * The account's API tokens as Cloudflare documents them ("Cloudflare API, accounts/tokens").
 * @param tokensMax how many the account may have; a real one, 500
 */
export const accountApi = (tokensMax: number): StandInApi<typeof accountCalls, R2Account> => ({
  calls: accountCalls,
  keysOf: (account, now) => alive(account, now).map(({ value }) => value),
  refuse: ({ account, key, params: { accountId } }, call) => {
    if ((accountId ?? account.accountId) !== account.accountId) return new Refused(404);
    // A token for objects is genuine here too, and may only ask about itself.
    const mayEdit = account.tokens.find(({ value }) => value === key)?.access === "edit";
    return mayEdit || call === accountCalls.verifyToken ? undefined : new Refused(403);
  },
  errorBody: (status, facts) => {
    const [code, message] = failures[status] ?? [10001, "Internal error"];
    return { ...success(null), success: false, errors: [{ code, message: facts.message ?? message }] };
  },
  answers: {
    verifyToken: ({ account, key }) =>
      success({ id: account.tokens.find(({ value }) => value === key)?.id, status: "active" }),
    verifyUserToken: () => new Refused(401),
    listPermissionGroups: ({ account, query: { name } }) => {
      const wanted = groupsOf(account).filter((group) => (name ?? group.name) === group.name);
      const scopes = ["com.cloudflare.edge.r2.bucket"];
      return success(wanted.map((group) => ({ id: group.id, name: group.name, scopes })));
    },
    listTokens: ({ account, now, query: { page, per_page, direction } }) => {
      const all = direction === "desc" ? alive(account, now).toReversed() : alive(account, now);
      const result = all.slice((page - 1) * per_page, page * per_page).map((token) => shown(account, token));
      const result_info = { page, per_page, count: result.length, total_count: all.length };
      return { ...success(result), result_info };
    },
    createToken: ({ account, now, body: { name, policies, expires_on } }) => {
      const [{ permission_groups, resources }] = policies;
      const group = groupsOf(account).find(({ id }) => id === permission_groups[0].id);
      const prefix = bucketPrefix(account);
      const buckets = Object.keys(resources).flatMap((each) => each.split(prefix).slice(1));
      const areKnown = buckets.length > 0 && buckets.length === Object.keys(resources).length;
      const expiresAt = expires_on === undefined ? undefined : Date.parse(expires_on);
      if (group === undefined || group.access === "edit" || !areKnown || (expiresAt ?? now + 1) <= now)
        return badRequest;
      if (alive(account, now).length >= tokensMax)
        return new Refused(400, { message: "You have reached the maximum number of tokens" });
      const token = newToken(group.access, { name, buckets, issuedAt: now, expiresAt });
      account.tokens = [...alive(account, now), token];
      return success({ ...shown(account, token), value: token.value });
    },
    deleteToken: ({ account: { tokens }, params: { id } }) =>
      takeOut(tokens, id) === undefined ? new Refused(404) : success({ id }),
  },
});

/** Cloudflare's codes by status, as its answers show them. */
const failures: Readonly<Record<number, readonly [code: number, message: string]>> = {
  400: [1001, "Invalid request"],
  401: [10000, "Authentication error"],
  403: [9109, "Unauthorized to access requested resource"],
  404: [7003, "Could not route to the requested resource"],
  429: [971, "Please wait and consider throttling your request speed"],
};
