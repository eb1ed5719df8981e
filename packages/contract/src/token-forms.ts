/** How the broker writes a secret text that it hands out. */
export type TokenForm = {
  /** What every text of the kind begins with, so that a scanner can find a leaked one. */
  readonly prefix: string;
  /** Random bytes in it. */
  readonly secretBytes: number;
  /**
   * Whether a keyed check stands at the end, by which the broker knows its own texts without asking the store.
   * `optional`: those of older versions have none. `none`: the operator makes it, who has no key.
   */
  readonly check: "required" | "optional" | "none";
};

/** THE table of tokens, link codes and cookies. Every pattern of them is made of it. */
const table = {
  admin: { prefix: "klo_admin_", secretBytes: 32, check: "none" },
  api: { prefix: "klo_api_", secretBytes: 32, check: "optional" },
  build: { prefix: "klo_bld_", secretBytes: 32, check: "optional" },
  handoff: { prefix: "klo_hnd_", secretBytes: 32, check: "optional" },
  session: { prefix: "klo_ses_", secretBytes: 32, check: "optional" },
} as const satisfies Record<string, TokenForm>;

export type TokenFormKind = keyof typeof table;
export const tokenForms: Readonly<Record<TokenFormKind, TokenForm>> = table;

/** Bytes of the keyed check: a made-up text passes once in 2^48. */
export const tokenCheckBytes = 6;

/** A text of ours, taken apart. That its check is right is for the broker to say. */
export type TokenParts = {
  readonly kind: TokenFormKind;
  /** Prefix and random part: what the check is made of. */
  readonly body: string;
  readonly check: string | undefined;
};

// All that base64url knows.
const character = "[A-Za-z0-9_-]";
const lengthOf = (bytes: number) => Math.ceil((bytes * 4) / 3);
const checkSource = `${character}{${lengthOf(tokenCheckBytes)}}`;
const bodySource = ({ prefix, secretBytes }: TokenForm) => `${prefix}${character}{${lengthOf(secretBytes)}}`;
const checkSources: Readonly<Record<TokenForm["check"], string>> = {
  required: `(${checkSource})`,
  optional: `(${checkSource})?`,
  none: "()",
};

export const tokenFormKinds = Object.keys(table) as readonly TokenFormKind[];

const patterns = new Map(
  tokenFormKinds.map((kind) => [
    kind,
    new RegExp(`^(${bodySource(tokenForms[kind])})${checkSources[tokenForms[kind].check]}$`),
  ]),
);

/** The pattern that a whole text of the kind matches; anything else is refused before it is looked up. */
export function tokenPattern(kind: TokenFormKind): RegExp {
  return patterns.get(kind) ?? /^(?!)/;
}

/** Takes a text apart when it has the form of one of the kinds. */
export function parseToken(text: string, kinds: readonly TokenFormKind[]): TokenParts | undefined {
  for (const kind of kinds) {
    if (!text.startsWith(tokenForms[kind].prefix)) continue;
    const match = tokenPattern(kind).exec(text);
    if (match?.[1] !== undefined) return { kind, body: match[1], check: match[2] || undefined };
  }
  return undefined;
}

/**
 * A new text of a kind, still without its check.
 * @param randomBytes a cryptographically strong source
 */
export function newTokenBody(kind: TokenFormKind, randomBytes: (size: number) => Uint8Array): string {
  const { prefix, secretBytes } = tokenForms[kind];
  return prefix + toBase64Url(randomBytes(secretBytes));
}

/** The source of a pattern that finds texts of every kind in a longer text. */
export const tokensSource = tokenFormKinds
  .map((kind) => bodySource(tokenForms[kind]) + checkSources[tokenForms[kind].check])
  .join("|");
const anywhere = new RegExp(tokensSource, "g");

/** Texts of ours in a longer text. One that may end in a check is found without it too: what follows may be foreign. */
export function* findTokens(
  text: string,
): Generator<{ readonly value: string; readonly index: number }, void, void> {
  for (const { 0: value, index } of text.matchAll(anywhere)) {
    yield { value, index };
    const parts = parseToken(value, tokenFormKinds);
    if (parts?.check === undefined || tokenForms[parts.kind].check === "required") continue;
    yield { value: parts.body, index };
  }
}

function toBase64Url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
