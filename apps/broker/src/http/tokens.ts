import { createHash, timingSafeEqual } from "node:crypto";
import { Secret, type TokenKind, tokenPrefixes } from "@keyloan/contract";

const tokenPattern = /^klo_(?:admin|api|bld)_[A-Za-z0-9_-]{43}$/;
const ourPattern = /^klo_(?:admin|api|bld|hnd|ses)_[A-Za-z0-9_-]{43}$/;

/** The text handoff codes and session cookies start with. */
export const pagePrefixes = { handoff: "klo_hnd_", session: "klo_ses_" } as const;

/** A new opaque token with 256 random bits, and the hash that is stored of it. */
export function createToken(
  kind: TokenKind | keyof typeof pagePrefixes,
  randomBytes: (size: number) => Uint8Array,
): { readonly token: Secret; readonly hash: string } {
  const prefix = { ...tokenPrefixes, ...pagePrefixes }[kind];
  const text = prefix + Buffer.from(randomBytes(32)).toString("base64url");
  return { token: Secret.of(text), hash: hashToken(text) };
}

/** SHA-256, hex: all that is kept of a token. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Whether the text can be a token at all; anything else is refused before it is hashed or looked up. */
export function looksLikeToken(text: string): boolean {
  return tokenPattern.test(text);
}

/** The hash of a text that has the form of a token, a link's code or a session of ours. */
export function hashOfOurs(text: string): string | undefined {
  return ourPattern.test(text) ? hashToken(text) : undefined;
}

/** Compares two hashes of equal length in constant time. */
export function hashesMatch(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
