import { createHash } from "node:crypto";

/** What a temporary credential is confined to. Times are whole seconds since the epoch. */
export type CredentialGrant = {
  readonly accountId: string;
  /** The host of the S3 endpoint, with its port when it has one. */
  readonly endpointHost: string;
  readonly bucket: string;
  /** Each ends with `/`: R2 compares starts of keys, so `b/1` alone would open `b/10` too. */
  readonly prefixes: readonly string[];
  readonly parentAccessKeyId: string;
  readonly parentSecretAccessKey: string;
  readonly issuedAtSeconds: number;
  readonly expiresAtSeconds: number;
};

export type TemporaryCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
};

/** The longest life R2 documents for a temporary credential ("Temporary access credentials", ttlSeconds). */
export const credentialSecondsMax = 604_800;

/**
 * Makes R2 credentials that read and write objects under the prefixes alone, by signing them with the
 * parent key ("Authenticate against R2 API using temporary credentials", local signing). No network.
 * @throws Error for a prefix without its slash, or a life that is over or too long: mistakes of the caller
 */
export async function signCredentials(grant: CredentialGrant): Promise<TemporaryCredentials> {
  checkGrant(grant);
  const { SignJWT } = await import("jose");
  const jwt = await new SignJWT({
    bucket: grant.bucket,
    scope: "object-read-write",
    paths: { prefixPaths: [...grant.prefixes], objectPaths: [] },
    sub: grant.accountId,
    iss: grant.parentAccessKeyId,
    aud: grant.endpointHost,
    iat: grant.issuedAtSeconds,
    exp: grant.expiresAtSeconds,
  })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .sign(Buffer.from(grant.parentSecretAccessKey, "utf8"));
  return {
    accessKeyId: grant.parentAccessKeyId,
    secretAccessKey: createHash("sha256").update(jwt).digest("hex"),
    sessionToken: Buffer.from(`jwt/${jwt}`).toString("base64"),
  };
}

function checkGrant({ prefixes, issuedAtSeconds, expiresAtSeconds }: CredentialGrant): void {
  if (prefixes.length === 0 || prefixes.some((prefix) => !/^[^*?/][^*?]*\/$/.test(prefix))) {
    throw new Error("a credential needs prefixes that end with a slash and hold no wildcard");
  }
  const seconds = expiresAtSeconds - issuedAtSeconds;
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > credentialSecondsMax) {
    throw new Error("a credential lives one second to seven days");
  }
}
