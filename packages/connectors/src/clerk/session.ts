import type { Secret } from "@keyloan/contract";

export type ClerkSessionOptions = {
  readonly publishableKey: string;
  readonly secretKey: Secret;
  /** The instance's public key in PEM; with it no key set is fetched. */
  readonly jwtKey?: string;
  /** The origins whose sessions are accepted (`azp`); without them any app of the instance would be. */
  readonly authorizedParties: readonly string[];
};

/**
 * The user of a Clerk session token that a request carries as its bearer, or `undefined` when it carries none
 * that holds (Clerk, backend SDK, "authenticateRequest"). A cookie alone is never accepted: that would let
 * another site act for the user.
 */
export async function findClerkUser(
  request: Request,
  options: ClerkSessionOptions,
): Promise<string | undefined> {
  if (!/^Bearer /i.test(request.headers.get("authorization") ?? "")) return undefined;
  const { createClerkClient } = await import("@clerk/backend");
  const { publishableKey, authorizedParties, jwtKey } = options;
  const client = createClerkClient({
    publishableKey,
    secretKey: options.secretKey.reveal(),
    telemetry: { disabled: true },
  });
  const bare = new Request(request.url, {
    headers: { authorization: request.headers.get("authorization") ?? "" },
  });
  const state = await client.authenticateRequest(bare, {
    authorizedParties: [...authorizedParties],
    acceptsToken: "session_token",
    ...(jwtKey === undefined ? {} : { jwtKey }),
  });
  if (!state.isAuthenticated) return undefined;
  const { userId, actor } = state.toAuth();
  // Somebody else acts as the user (Clerk, "User impersonation"): that is not the user.
  return actor === undefined || actor === null ? (userId ?? undefined) : undefined;
}
