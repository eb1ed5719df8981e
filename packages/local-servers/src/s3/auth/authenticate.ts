import type { ResolveCredential, S3Policy } from "../policy.ts";
import type { S3Request } from "../request.ts";
import { S3Error } from "../s3-error.ts";
import { parseAuthentication } from "./parse-authentication.ts";
import { type ChunkSigner, verifySignature } from "./verify-signature.ts";

/** What is known about a request once its sender is proven: above all what the sender may do. */
export type Authenticated = {
  readonly policy: S3Policy;
  readonly payload: string;
  readonly chunkSigner: ChunkSigner;
};

/** `auto` is R2's region; the empty one and `us-east-1` are its aliases ("S3 API compatibility"). */
const regions: ReadonlySet<string> = new Set(["auto", "", "us-east-1"]);

/**
 * Finds the credential of a request and verifies its signature.
 * @throws S3Error 401 for an unknown or expired credential, 403 for a wrong signature or time, 400 if unreadable
 */
export async function authenticate(
  request: S3Request,
  resolveCredential: ResolveCredential,
  nowMs: number,
): Promise<Authenticated> {
  const authentication = parseAuthentication(request);
  if (!regions.has(authentication.region)) {
    throw new S3Error("InvalidRegionName", "The region must be auto.");
  }
  const credential = await resolveCredential(authentication.accessKeyId, authentication.sessionToken);
  if (credential === undefined) throw unauthorized();
  const chunkSigner = verifySignature(request, authentication, credential.secretAccessKey, nowMs);
  const { expiresAt } = credential.policy;
  if (expiresAt !== undefined && nowMs >= expiresAt) throw unauthorized();
  return { policy: credential.policy, payload: authentication.payload, chunkSigner };
}

const unauthorized = () => new S3Error("Unauthorized", "The credentials are unknown, invalid or expired.");
