/** The kinds of thing that have an id, with the prefix each id starts with. */
export const idPrefixes = {
  organization: "org",
  build: "bld",
  lease: "lse",
  orgKey: "key",
  dataKey: "dek",
  token: "tok",
  handoff: "hnd",
  session: "ses",
  userKey: "usr",
  person: "per",
  startOver: "sto",
  job: "job",
  archive: "arc",
  transfer: "trf",
  signingKey: "sig",
  auditEvent: "evt",
  request: "req",
} as const;

export type IdKind = keyof typeof idPrefixes;

// 32 characters without look-alikes (no i, l, o, u): five random bits each, safe in host names,
// object keys and database names, and equal in any letter case folding.
export const idAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
/** Characters of the random part. */
export const idLength = 20;

/**
 * A new id such as `bld_3k9…` with 100 random bits.
 * @param randomBytes a cryptographically strong source
 */
export function newId(kind: IdKind, randomBytes: (size: number) => Uint8Array): string {
  let text = "";
  for (const byte of randomBytes(idLength)) text += idAlphabet[byte & 31];
  return `${idPrefixes[kind]}_${text}`;
}

/** The pattern every id of a kind matches; anything else is refused before it is looked up. */
export function idPattern(kind: IdKind): RegExp {
  return new RegExp(`^${idPrefixes[kind]}_[${idAlphabet}]{${idLength}}$`);
}

const anyIdPattern = new RegExp(`^(?:${Object.values(idPrefixes).join("|")})_[${idAlphabet}]{${idLength}}$`);

/** Whether a text has the form of an id, of whatever kind. */
export function isId(text: string): boolean {
  return anyIdPattern.test(text);
}

/** The random part of an id: what resource names at providers are made of. */
export function idSuffix(id: string): string {
  return id.slice(id.indexOf("_") + 1);
}

/** A connector id: lower-case words joined by dashes. */
export const connectorIdPattern = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
