import { createPublicKey, type KeyObject, verify } from "node:crypto";

/** Which tokens open a namespace, as far as this process knows the keys. */
export type NamespaceKeys = {
  /** Stores the raw Ed25519 public key of a namespace, base64url; undefined removes it. */
  readonly set: (namespace: string, publicKey: string | undefined) => void;
  readonly has: (namespace: string) => boolean;
  /** Whether the namespace's key signed this token and it has not expired. The server judges what it permits. */
  readonly signed: (namespace: string, token: string) => boolean;
};

/** The server accepts a token for this long after it expires. */
const leewaySeconds = 60;
/** How many tokens are remembered: a client sends the same one each time, and a look-up is cheaper than verifying. */
const knownMax = 1_000;

export function createNamespaceKeys(now: () => number = Date.now): NamespaceKeys {
  const keys = new Map<string, { readonly text: string; readonly key: KeyObject }>();
  const known = new Map<string, number>();
  const endOf = (namespace: string, token: string): number => {
    const own = keys.get(namespace);
    if (own === undefined) return 0;
    const name = `${own.text} ${token}`;
    const end = known.get(name) ?? readEnd(own.key, token);
    known.delete(name);
    if (end === 0) return 0;
    known.set(name, end);
    if (known.size > knownMax) known.delete(known.keys().next().value ?? "");
    return end;
  };
  return {
    set: (namespace, publicKey) => {
      if (publicKey === undefined) keys.delete(namespace);
      else if (keys.get(namespace)?.text !== publicKey) {
        const jwk = { kty: "OKP", crv: "Ed25519", x: publicKey };
        keys.set(namespace, { text: publicKey, key: createPublicKey({ key: jwk, format: "jwk" }) });
      }
    },
    has: (namespace) => keys.has(namespace),
    signed: (namespace, token) => endOf(namespace, token) > now(),
  };
}

/** Until when a token is accepted, in milliseconds since the epoch; 0 if this key did not sign it. */
function readEnd(key: KeyObject, token: string): number {
  const [head = "", payload = "", signature = "", ...more] = token.split(".");
  if (more.length > 0 || token.length > tokenCharactersMax) return 0;
  const bytes = Buffer.from(signature, "base64url");
  if (!verify(null, Buffer.from(`${head}.${payload}`), key, bytes)) return 0;
  // Only JSON objects are signed with the key.
  const { exp }: { readonly exp?: unknown } = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
  return typeof exp === "number" ? (exp + leewaySeconds) * 1000 : Number.POSITIVE_INFINITY;
}

const tokenCharactersMax = 8_192;
