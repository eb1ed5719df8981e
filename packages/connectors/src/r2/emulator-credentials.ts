import { createHash } from "node:crypto";
import {
  type ResolveCredential,
  type S3Action,
  type S3Credential,
  type S3Policy,
  s3Actions,
  s3ReadActions,
} from "@keyloan/local-servers";
import { jwtVerify } from "jose";
import * as z from "zod";
import { credentialSecondsMax } from "./credentials.ts";
import type { KnownKey } from "./emulator-account.ts";

/** What the stand-in accepts: keys of this account, and what is signed with them for this host. */
export type KnownAccount = {
  readonly accountId: string;
  readonly host: () => string;
  readonly findKey: (accessKeyId: string) => KnownKey | undefined;
};

const scopes: Readonly<Record<string, readonly S3Action[]>> = {
  "object-read-write": s3Actions,
  "object-read-only": s3ReadActions,
  "admin-read-write": s3Actions,
  "admin-read-only": s3ReadActions,
};

/** The claims of a session token ("Authenticate against R2 API using temporary credentials"). */
const claimsSchema = z
  .object({
    bucket: z.string().min(1),
    scope: z
      .enum(["object-read-write", "object-read-only", "admin-read-write", "admin-read-only"])
      .optional(),
    actions: z.array(z.enum(s3Actions)).min(1).optional(),
    paths: z
      .object({ prefixPaths: z.array(z.string()).default([]), objectPaths: z.array(z.string()).default([]) })
      .optional(),
    sub: z.string(),
    iss: z.string(),
    aud: z.string(),
    iat: z.number(),
    exp: z.number(),
  })
  .refine(({ scope, actions }) => scope !== undefined || actions !== undefined);

type Claims = z.infer<typeof claimsSchema>;

/**
 * Accepts a key of the account without a session token, and temporary credentials whose token the key's
 * secret signed: for this account, this host, one bucket, not expired, at most seven days long. A key that
 * was deleted is not found any more, and what it signed goes with it.
 */
export function createCredentialResolver(account: KnownAccount, nowMs: () => number): ResolveCredential {
  const verified = createTokenCache();
  return async (accessKeyId, sessionToken) => {
    const parent = account.findKey(accessKeyId);
    if (parent === undefined || sessionToken === undefined) return parent;
    const cacheKey = `${parent.secretAccessKey} ${sessionToken}`;
    const signed = { accessKeyId, parent, sessionToken };
    const credential = verified.get(cacheKey) ?? (await verifyToken(account, signed, nowMs()));
    if (credential === undefined || (credential.policy.expiresAt ?? 0) <= nowMs()) return undefined;
    verified.set(cacheKey, credential);
    return credential;
  };
}

type Signed = { readonly accessKeyId: string; readonly parent: KnownKey; readonly sessionToken: string };

async function verifyToken(
  { accountId, host }: KnownAccount,
  { accessKeyId, parent, sessionToken }: Signed,
  nowMs: number,
): Promise<S3Credential | undefined> {
  const text = Buffer.from(sessionToken, "base64").toString("latin1");
  const isCanonical = Buffer.from(text, "latin1").toString("base64") === sessionToken;
  if (!isCanonical || !text.startsWith("jwt/")) return undefined;
  const jwt = text.slice("jwt/".length);
  try {
    const { payload } = await jwtVerify(jwt, Buffer.from(parent.secretAccessKey), {
      algorithms: ["HS256"],
      issuer: accessKeyId,
      subject: accountId,
      audience: host(),
      currentDate: new Date(nowMs),
      requiredClaims: ["exp", "iat"],
    });
    const claims = claimsSchema.parse(payload);
    if (claims.exp - claims.iat > credentialSecondsMax) return undefined;
    const secretAccessKey = createHash("sha256").update(jwt).digest("hex");
    return { secretAccessKey, policy: policyOf(claims, parent.policy) };
  } catch {
    return undefined;
  }
}

/** What the claims allow and the parent allows too: a credential never exceeds its parent. */
function policyOf({ bucket, scope, actions, paths, exp }: Claims, parent: S3Policy): S3Policy {
  const scoped = scope === undefined ? undefined : scopes[scope];
  // Both may be given; the actions then narrow the scope.
  const allowed = actions?.filter((action) => scoped?.includes(action) ?? true) ?? scoped ?? [];
  return {
    buckets: allowsBucket(parent, bucket) ? [bucket] : [],
    actions: new Set(allowed.filter((action) => parent.actions.has(action))),
    expiresAt: Math.min(exp * 1000, parent.expiresAt ?? Number.POSITIVE_INFINITY),
    ...(paths === undefined ? {} : { prefixes: paths.prefixPaths, objects: paths.objectPaths }),
  };
}

const allowsBucket = ({ buckets }: S3Policy, bucket: string) => buckets === "any" || buckets.includes(bucket);

const cacheEntriesMax = 1000;

/** The newest tokens that were found genuine: their signature is proven once, their expiry each time. */
function createTokenCache() {
  const entries = new Map<string, S3Credential>();
  return {
    get: (token: string) => entries.get(token),
    set: (token: string, credential: S3Credential) => {
      if (entries.has(token)) return;
      const [oldest] = entries.keys();
      if (entries.size >= cacheEntriesMax && oldest !== undefined) entries.delete(oldest);
      entries.set(token, credential);
    },
  };
}
