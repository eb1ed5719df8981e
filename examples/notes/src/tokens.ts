import { sign, verify } from "hono/jwt";

export type TokenPurpose = "edit-note" | "checkout";

type Signed = {
  readonly secret: string;
  readonly purpose: TokenPurpose;
  readonly subject: string;
  readonly ttlSeconds: number;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
};

/** A signed token that says one thing (`subject`) for one purpose and ends by itself. */
export function signToken({ secret, purpose, subject, ttlSeconds, nowMs }: Signed): Promise<string> {
  const issuedAt = Math.floor(nowMs / 1000);
  return sign({ aud: purpose, sub: subject, iat: issuedAt, exp: issuedAt + ttlSeconds }, secret, "HS256");
}

/** The subject of a token, or `undefined` when it is forged, expired or made for something else. */
export async function readToken(
  secret: string,
  purpose: TokenPurpose,
  token: string,
): Promise<string | undefined> {
  try {
    const { sub } = await verify(token, secret, { alg: "HS256", aud: purpose });
    return typeof sub === "string" ? sub : undefined;
  } catch {
    return undefined;
  }
}
