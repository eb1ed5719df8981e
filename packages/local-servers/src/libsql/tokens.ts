import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { type JWTPayload, SignJWT } from "jose";
import { checkNamespaceName } from "./namespace-name.ts";

/** An Ed25519 key pair, both halves raw in base64url. */
export type NamespaceKey = { readonly publicKey: string; readonly privateKey: string };

export type NamespaceTokenOptions = {
  readonly namespace: string;
  readonly access: "read-write" | "read-only";
  /** Random; makes every token different. */
  readonly tokenId: string;
  /** Milliseconds since the epoch; absent: the token lives as long as the key. */
  readonly expiresAt?: number;
};

export type SignNamespaceToken = (options: NamespaceTokenOptions) => Promise<string>;

/** A key pair for one namespace. Its public half goes into the namespace's settings. */
export function createNamespaceKey(): NamespaceKey {
  const { x, d } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  if (x === undefined || d === undefined) throw new Error("an Ed25519 key has x and d");
  return { publicKey: x, privateKey: d };
}

/**
 * Signs tokens that open exactly one namespace.
 *
 * The libSQL server gives a token without `p` full access to every namespace, refuses any `aud`,
 * ignores `nbf`, and accepts a token until 60 seconds after its `exp`.
 */
export function createNamespaceTokenSigner(key: NamespaceKey): SignNamespaceToken {
  const jwk = { kty: "OKP", crv: "Ed25519", x: key.publicKey, d: key.privateKey };
  const privateKey = createPrivateKey({ key: jwk, format: "jwk" });
  return async ({ namespace, access, tokenId, expiresAt }) => {
    const payload: JWTPayload = {
      p: { [access === "read-only" ? "ro" : "rw"]: { ns: [checkNamespaceName(namespace)] } },
      jti: tokenId,
      ...(expiresAt === undefined ? {} : { exp: Math.floor(expiresAt / 1000) }),
    };
    return new SignJWT(payload).setProtectedHeader({ alg: "EdDSA", typ: "JWT" }).sign(privateKey);
  };
}
