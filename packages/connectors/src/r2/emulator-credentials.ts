import { createHash } from "node:crypto";
import {
  type ResolveCredential,
  type S3Action,
  type S3Credential,
  s3Actions,
  s3ReadActions,
} from "@keyloan/local-servers";
import { jwtVerify } from "jose";
import * as z from "zod";
import { credentialSecondsMax } from "./credentials.ts";
import type { EmulatorOrgKey } from "./emulator.ts";

/** What the stand-in accepts: the org's token, and what is signed with it for this host. */
export type KnownKey = { readonly key: EmulatorOrgKey; readonly host: string };

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
 * Accepts the org's own key without a session token, and temporary credentials whose token the org's
 * secret signed: for this account, this host, one bucket, not expired, at most seven days long.
 */
export function createCredentialResolver(known: () => KnownKey, nowMs: () => number): ResolveCredential {
  const verified = createTokenCache();
  return async (accessKeyId, sessionToken) => {
    const { key, host } = known();
    if (accessKeyId !== key.accessKeyId) return undefined;
    if (sessionToken === undefined) {
      return {
        secretAccessKey: key.secretAccessKey,
        policy: { buckets: "any", actions: new Set(s3Actions) },
      };
    }
    const cacheKey = `${key.secretAccessKey} ${sessionToken}`;
    const credential = verified.get(cacheKey) ?? (await verifyToken(sessionToken, { key, host }, nowMs()));
    if (credential === undefined || (credential.policy.expiresAt ?? 0) <= nowMs()) return undefined;
    verified.set(cacheKey, credential);
    return credential;
  };
}

async function verifyToken(
  sessionToken: string,
  { key, host }: KnownKey,
  nowMs: number,
): Promise<S3Credential | undefined> {
  const text = Buffer.from(sessionToken, "base64").toString("latin1");
  const isCanonical = Buffer.from(text, "latin1").toString("base64") === sessionToken;
  if (!isCanonical || !text.startsWith("jwt/")) return undefined;
  const jwt = text.slice("jwt/".length);
  try {
    const { payload } = await jwtVerify(jwt, Buffer.from(key.secretAccessKey), {
      algorithms: ["HS256"],
      issuer: key.accessKeyId,
      subject: key.accountId,
      audience: host,
      currentDate: new Date(nowMs),
      requiredClaims: ["exp", "iat"],
    });
    const claims = claimsSchema.parse(payload);
    if (claims.exp - claims.iat > credentialSecondsMax) return undefined;
    return { secretAccessKey: createHash("sha256").update(jwt).digest("hex"), policy: policyOf(claims) };
  } catch {
    return undefined;
  }
}

function policyOf({ bucket, scope, actions, paths, exp }: Claims): S3Credential["policy"] {
  const scoped = scope === undefined ? undefined : scopes[scope];
  // Both may be given; the actions then narrow the scope.
  const allowed = actions?.filter((action) => scoped?.includes(action) ?? true) ?? scoped ?? [];
  return {
    buckets: [bucket],
    actions: new Set(allowed),
    expiresAt: exp * 1000,
    ...(paths === undefined ? {} : { prefixes: paths.prefixPaths, objects: paths.objectPaths }),
  };
}

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
