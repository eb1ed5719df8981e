import type { S3Action } from "./actions.ts";
import { S3Error } from "./s3-error.ts";

/** What a credential may access. An empty list allows nothing. */
export type S3Policy = {
  readonly buckets: readonly string[] | "any";
  /** Keys that start with one of these are allowed. Absent together with `objects`: every key. */
  readonly prefixes?: readonly string[];
  /** Keys that are exactly one of these are allowed. */
  readonly objects?: readonly string[];
  readonly actions: ReadonlySet<S3Action>;
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number;
};

/** The key to verify a signature with, and what it then allows. */
export type S3Credential = { readonly secretAccessKey: string; readonly policy: S3Policy };

/**
 * Finds the credential for an access key id and session token; `undefined` if there is none, and then the
 * answer is 401 whatever the reason.
 */
export type ResolveCredential = (
  accessKeyId: string,
  sessionToken: string | undefined,
) => S3Credential | undefined | Promise<S3Credential | undefined>;

/** Refuses a request whose policy lacks the action or the bucket. */
export function requireAction(policy: S3Policy, action: S3Action, bucket: string): void {
  if (!policy.actions.has(action) || !allowsBucket(policy, bucket)) throw denied();
}

/** Refuses a request on a key outside the policy. */
export function requireKey(policy: S3Policy, action: S3Action, bucket: string, key: string): void {
  requireAction(policy, action, bucket);
  if (!allowsKey(policy, key)) throw denied();
}

/** Refuses a listing that could show a key outside the policy. */
export function requirePrefix(policy: S3Policy, action: S3Action, bucket: string, prefix: string): void {
  requireAction(policy, action, bucket);
  if (isWholeBucket(policy)) return;
  if (!(policy.prefixes ?? []).some((allowed) => prefix.startsWith(allowed))) throw denied();
}

export function allowsKey(policy: S3Policy, key: string): boolean {
  if (isWholeBucket(policy)) return true;
  return (
    (policy.prefixes ?? []).some((prefix) => key.startsWith(prefix)) || (policy.objects ?? []).includes(key)
  );
}

/** The refusal for everything that a valid credential does not allow. */
export const denied = () => new S3Error("AccessDenied", "Access Denied");

const isWholeBucket = (policy: S3Policy) => policy.prefixes === undefined && policy.objects === undefined;

export const allowsBucket = (policy: S3Policy, bucket: string) =>
  policy.buckets === "any" || policy.buckets.includes(bucket);
