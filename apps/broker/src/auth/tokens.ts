import { createHash, timingSafeEqual } from "node:crypto";
import { newTokenBody, parseToken, Secret, type TokenFormKind, writeToken } from "@keyloan/contract";
import type { TokenCheck } from "@keyloan/vault";

/** What a text of ours is, as far as it tells without the store. */
export type ReadToken = {
  readonly kind: TokenFormKind;
  readonly hash: string;
  /** Whether this broker surely made it: its check is right. One of the old form carries none. */
  readonly isProven: boolean;
};

/** Makes the texts that the broker hands out, and knows them again. */
export type Tokens = {
  /** A new opaque text with its check, and the hash that is stored of it. A recovery code names its build. */
  readonly make: (
    kind: Exclude<TokenFormKind, "admin">,
    buildId?: string,
  ) => { readonly token: Secret; readonly hash: string };
  /** What a text is; `undefined` when it is none of the kinds, or made up. Never asks the store. */
  readonly read: (text: string, kinds: readonly TokenFormKind[]) => ReadToken | undefined;
};

export function createTokens(deps: {
  readonly check: TokenCheck;
  readonly adminTokenHash: string;
  readonly randomBytes: (size: number) => Uint8Array;
}): Tokens {
  return {
    make: (kind, buildId) => {
      const body = newTokenBody(kind, deps.randomBytes, buildId);
      const text = writeToken(kind, body, deps.check(body));
      return { token: Secret.of(text), hash: hashToken(text) };
    },
    read: (text, kinds) => {
      const parts = parseToken(text, kinds);
      if (parts === undefined) return undefined;
      const { kind, body, check } = parts;
      if (check !== undefined && !textsMatch(text, writeToken(kind, body, deps.check(body))))
        return undefined;
      const hash = hashToken(text);
      if (kind !== "admin") return { kind, hash, isProven: check !== undefined };
      return textsMatch(hash, deps.adminTokenHash) ? { kind, hash, isProven: true } : undefined;
    },
  };
}

/** SHA-256, hex: all that is kept of a token. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Compares two texts in constant time. */
export function textsMatch(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
