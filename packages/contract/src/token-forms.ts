import { idAlphabet, idLength, idSuffix } from "./ids.ts";

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
  /**
   * `typed`: people copy it by hand, so it is in groups of the characters of ids, and begins with the build that
   * it is for. By default base64url.
   */
  readonly written?: "typed";
};

/** THE table of tokens, link codes and cookies. Every pattern of them is made of it. */
const table = {
  admin: { prefix: "klo_admin_", secretBytes: 32, check: "none" },
  api: { prefix: "klo_api_", secretBytes: 32, check: "optional" },
  build: { prefix: "klo_bld_", secretBytes: 32, check: "optional" },
  handoff: { prefix: "klo_hnd_", secretBytes: 32, check: "optional" },
  session: { prefix: "klo_ses_", secretBytes: 32, check: "required" },
  person: { prefix: "klo_per_", secretBytes: 32, check: "required" },
  recovery: { prefix: "klo_rec_", secretBytes: 15, check: "required", written: "typed" },
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
const groupLength = 6;
const typedLengthOf = (bytes: number) => Math.ceil((bytes * 8) / 5);
/** Build, random part and check: together they fill their groups. */
const typedLengths = ({ secretBytes }: TokenForm) => {
  const body = idLength + typedLengthOf(secretBytes);
  return { body, whole: body + typedLengthOf(tokenCheckBytes) };
};
const typedSource = (form: TokenForm) => {
  const group = `[${idAlphabet}]{${groupLength}}`;
  return `${form.prefix}${group}(?:-${group}){${typedLengths(form).whole / groupLength - 1}}`;
};
const sourceOf = (form: TokenForm) =>
  form.written === "typed" ? typedSource(form) : bodySource(form) + checkSources[form.check];

export const tokenFormKinds = Object.keys(table) as readonly TokenFormKind[];

const patterns = new Map(
  tokenFormKinds.map((kind) => [
    kind,
    new RegExp(
      tokenForms[kind].written === "typed"
        ? `^${typedSource(tokenForms[kind])}$`
        : `^(${bodySource(tokenForms[kind])})${checkSources[tokenForms[kind].check]}$`,
    ),
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
    if (match !== null && tokenForms[kind].written === "typed") return takeTypedApart(kind, text);
    if (match?.[1] !== undefined) return { kind, body: match[1], check: match[2] || undefined };
  }
  return undefined;
}

/**
 * A new text of a kind, still without its check.
 * @param randomBytes a cryptographically strong source
 * @param buildId for kinds that begin with the build they are for
 */
export function newTokenBody(
  kind: TokenFormKind,
  randomBytes: (size: number) => Uint8Array,
  buildId = "",
): string {
  const { prefix, secretBytes, written } = tokenForms[kind];
  if (written !== "typed") return prefix + toBase64Url(randomBytes(secretBytes));
  return prefix + idSuffix(buildId) + toIdAlphabet(randomBytes(secretBytes));
}

/** The whole text: the body with its check, which is given in base64url. */
export function writeToken(kind: TokenFormKind, body: string, check: string): string {
  const { prefix, written } = tokenForms[kind];
  if (written !== "typed") return body + check;
  return prefix + inGroups(body.slice(prefix.length) + toIdAlphabet(fromBase64Url(check)));
}

/**
 * A recovery code as it was shown, from what somebody typed: letter case, spaces, dashes, the beginning, and
 * characters that look alike do not matter. `undefined` when it cannot be one.
 */
export function readRecoveryCode(typed: string): string | undefined {
  const { prefix } = tokenForms.recovery;
  const bare = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  const given = bare(typed);
  const beginning = bare(prefix);
  const rest = given.startsWith(beginning) ? given.slice(beginning.length) : given;
  const text = prefix + inGroups(rest.replaceAll(/[il]/g, "1").replaceAll("o", "0"));
  return tokenPattern("recovery").test(text) ? text : undefined;
}

/** The source of a pattern that finds texts of every kind in a longer text. */
export const tokensSource = tokenFormKinds.map((kind) => sourceOf(tokenForms[kind])).join("|");
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

function fromBase64Url(text: string): Uint8Array {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
}

/** Five bits a character; what is left at the end is filled with zeros. */
function toIdAlphabet(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += idAlphabet[(value >> (bits - 5)) & 31];
    value &= 31;
  }
  return bits === 0 ? text : text + idAlphabet[(value << (5 - bits)) & 31];
}

function inGroups(text: string): string {
  return text.match(new RegExp(`.{1,${groupLength}}`, "g"))?.join("-") ?? "";
}

function takeTypedApart(kind: TokenFormKind, text: string): TokenParts {
  const form = tokenForms[kind];
  const bare = text.slice(form.prefix.length).replaceAll("-", "");
  const { body } = typedLengths(form);
  return { kind, body: form.prefix + bare.slice(0, body), check: bare.slice(body) };
}
