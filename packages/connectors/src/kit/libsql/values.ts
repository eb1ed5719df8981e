/**
 * One value of a row as a dump writes it. Integers that JavaScript holds exactly and text are plain JSON;
 * everything else says what it is:
 * `i` a larger integer, `r` a real in the shortest decimal form that reads back equal, `b` a blob and `t` text that
 * is not UTF-8, both in base64 without padding; `B` and `T` the bytes of a large blob or text whose parts came before.
 */
export type DumpValue =
  | null
  | number
  | string
  | { readonly i: string }
  | { readonly r: string }
  | { readonly b: string }
  | { readonly t: string }
  | { readonly B: number }
  | { readonly T: number };

const base64 = /^[A-Za-z0-9+/]*$/;
const markedPatterns: Readonly<Record<string, RegExp>> = {
  i: /^-?\d{1,19}$/,
  r: /^(?:-?\d{1,30}(?:\.\d{1,30})?(?:e[+-]?\d{1,3})?|-?Infinity)$/,
  b: base64,
  t: base64,
};

/** Whether a JSON value from a dump is a valid value of a row. */
export function isDumpValue(value: unknown): value is DumpValue {
  if (value === null || typeof value === "string") return true;
  if (typeof value === "number") return Number.isSafeInteger(value);
  if (typeof value !== "object") return false;
  const [[mark = "", marked] = [], ...others] = Object.entries(value);
  if (others.length > 0) return false;
  if (mark === "B" || mark === "T") return Number.isSafeInteger(marked) && Number(marked) >= 0;
  return typeof marked === "string" && markedPatterns[mark]?.test(marked) === true;
}

/** The shortest decimal form that reads as the same number, with the sign of zero. */
export function realText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** The size in bytes of a value whose parts came before it; `undefined` for any other value. */
export function partBytes(value: DumpValue): number | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return "B" in value ? value.B : "T" in value ? value.T : undefined;
}

/** A value in a statement: its SQL, and the argument that the SQL refers to, as Hrana JSON. */
export type Placed = { readonly sql: string; readonly arg?: string };

export type SmallValue = Exclude<DumpValue, { readonly B: number } | { readonly T: number }>;

/** Whether the value itself is given, rather than in parts before it. */
export function isSmall(value: DumpValue): value is SmallValue {
  return partBytes(value) === undefined;
}

/**
 * A value for a statement. Finite numbers are arguments, never SQL text: the server itself parses some decimals with
 * an error of one in the last place.
 */
export function placeValue(
  value: Exclude<DumpValue, { readonly B: number } | { readonly T: number }>,
): Placed {
  if (value === null) return { sql: "NULL" };
  if (typeof value === "number") return { sql: "?", arg: `{"type":"integer","value":"${value}"}` };
  if (typeof value === "string") return { sql: "?", arg: `{"type":"text","value":${JSON.stringify(value)}}` };
  if ("i" in value) return { sql: "?", arg: `{"type":"integer","value":"${value.i}"}` };
  if ("b" in value) return { sql: "?", arg: `{"type":"blob","base64":"${value.b}"}` };
  // The plus removes the affinity of the cast, so that a comparison converts nothing.
  if ("t" in value) return { sql: "+CAST(? AS TEXT)", arg: `{"type":"blob","base64":"${value.t}"}` };
  if (value.r === "Infinity") return { sql: "9e999" };
  if (value.r === "-Infinity") return { sql: "-9e999" };
  return { sql: "?", arg: `{"type":"float","value":${value.r === "-0" ? "-0.0" : value.r}}` };
}

/** The arguments of a statement with one question mark for each value. */
export function argumentsOf(values: readonly SmallValue[]): string[] {
  return values.flatMap((value) => placeValue(value).arg ?? []);
}
