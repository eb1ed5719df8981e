import { createPublicKey, verify } from "node:crypto";
import type { SigningKeyView } from "@keyloan/contract";

/** What a broker sets as the type of a receipt's signature. */
const receiptType = "keyloan-receipt+jwt";

export type VerifiedReceipt = { readonly kid: string; readonly content: unknown };

/**
 * What a receipt says, if one of the keys signed exactly that as a receipt; `undefined` when none did, or when it
 * was altered.
 */
export function verifyReceipt(receipt: string, keys: readonly SigningKeyView[]): VerifiedReceipt | undefined {
  const [header = "", payload = "", signature = "", ...more] = receipt.trim().split(".");
  const { alg, kid, typ } = parse(header) ?? {};
  if (more.length > 0 || alg !== "EdDSA" || typ !== receiptType) return undefined;
  const key = keys.find((each) => each.kid === kid);
  if (key === undefined) return undefined;
  const publicKey = createPublicKey({ key: { ...key }, format: "jwk" });
  const signed = Buffer.from(`${header}.${payload}`);
  if (!verify(null, signed, publicKey, Buffer.from(signature, "base64url"))) return undefined;
  return { kid: key.kid, content: parse(payload) };
}

function parse(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
