import { findTokens } from "@keyloan/contract/token-forms";

/** A text that may be a secret, and where in the searched text it begins. */
export type Candidate = { readonly value: string; readonly index: number };

const lengthMin = 12;
/** The broker takes no longer ones. */
const lengthMax = 8_192;
const depthMax = 2;

/**
 * What values stand between: each takes other characters for part of a value, because what ends one kind (a
 * slash, an equals sign, a dot) is part of another.
 */
const runs: readonly RegExp[] = [
  /[A-Za-z0-9_-]{12,}/g,
  /[A-Za-z0-9_.-]{20,}/g,
  /[A-Za-z0-9+/]{16,}={0,2}/g,
  /[^\s"'`<>(){}[\],;\\=&?]{12,}/g,
  /(?<=[=:] {0,4})[^\s"'`\\]{12,}/g,
  /(?<=(["'`]))[^"'`\\\s]{12,}(?=\1)/g,
];
const packed = /[A-Za-z0-9+/_-]{24,}/g;
const percentEncoded = /(?:[^\s"'`<>\\%]|%[0-9A-Fa-f]{2}){12,}/g;
const escaped = /(?:[^\s"'`<>\\]|\\(?:\/|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})){12,}/g;

/**
 * What in a text may be a secret: tokens of ours, what has the shape of a known variable, and what looks random;
 * also inside of base64, percent-encoding and escapes of JavaScript and JSON.
 * @param isKnownShape whether a text has the shape of a secret of some connector
 */
export function* findCandidates(
  text: string,
  isKnownShape: (value: string) => boolean,
  depth = 0,
): Generator<Candidate, void, void> {
  // Of Keyloan's own the form says what they are.
  yield* findTokens(text);
  for (const run of runs) {
    for (const match of text.matchAll(run)) {
      if (match[0].length > lengthMax) continue;
      for (const value of withoutEnds(match[0])) {
        if (mayBeSecret(value, isKnownShape)) yield { value, index: match.index };
      }
    }
  }
  if (depth === depthMax) return;
  for (const { text: inner, index } of decodings(text)) {
    for (const { value } of findCandidates(inner, isKnownShape, depth + 1)) yield { value, index };
  }
}

/** The run itself, and without a dot or the like that ended a sentence after it. */
function withoutEnds(value: string): readonly string[] {
  const trimmed = value.replace(/[.,:!*/-]+$/, "");
  return trimmed === value ? [value] : [value, trimmed];
}

function mayBeSecret(value: string, isKnownShape: (value: string) => boolean): boolean {
  if (value.length < lengthMin || value.length > lengthMax) return false;
  return isKnownShape(value) || looksRandom(value);
}

const randomLengthMin = 16;
const entropyMin = 3;

/** Whether a text is more mixed than words and names are. */
function looksRandom(value: string): boolean {
  if (value.length < randomLengthMin || !/[0-9]/.test(value) || !/[A-Za-z]/.test(value)) return false;
  const counts = new Map<string, number>();
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1);
  let entropy = 0;
  for (const count of counts.values()) entropy -= (count / value.length) * Math.log2(count / value.length);
  return entropy >= entropyMin;
}

type Decoding = { readonly text: string; readonly index: number };

function* decodings(text: string): Generator<Decoding, void, void> {
  for (const match of text.matchAll(packed)) {
    const inner = unpackBase64(match[0]);
    if (inner !== undefined) yield { text: inner, index: match.index };
  }
  for (const match of text.includes("%") ? text.matchAll(percentEncoded) : []) {
    if (!match[0].includes("%")) continue;
    const inner = match[0].replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => character(hex));
    yield { text: inner, index: match.index };
  }
  if (!text.includes("\\")) return;
  for (const match of text.matchAll(escaped)) {
    if (!match[0].includes("\\")) continue;
    const inner = match[0]
      .replace(/\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4}))/g, (_, x?: string, u?: string) =>
        character(x ?? u ?? ""),
      )
      .replaceAll("\\/", "/");
    yield { text: inner, index: match.index };
  }
}

const character = (hex: string) => String.fromCharCode(Number.parseInt(hex, 16));

/** What base64 holds, when it holds text; a run cut out of a longer one may begin in the middle of a group. */
function unpackBase64(run: string): string | undefined {
  for (const start of [0, 1, 2, 3]) {
    const decode = (end?: number) => Buffer.from(run.slice(start, end), "base64").toString("latin1");
    const beginning = decode(start + 2_000);
    if (beginning.length >= lengthMin && isText(beginning)) return decode();
  }
  return undefined;
}

function isText(text: string): boolean {
  let strange = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if ((code < 32 && code !== 9 && code !== 10 && code !== 13) || code > 126) strange += 1;
  }
  return strange <= text.length * 0.05;
}
