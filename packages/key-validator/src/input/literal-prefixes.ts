import type { FieldSpec, KeyMode, Secret } from "@keyloan/contract";

const prefixLengthMin = 3;
const prefixesMax = 32;

/**
 * The fixed beginnings of what a pattern matches: `^(?:sk|rk)_(?:test|live)_[a-z]+$` begins with `sk_test_`,
 * `sk_live_`, `rk_test_` or `rk_live_`. Empty when the pattern begins with nothing fixed, or with so little
 * that it tells nothing.
 */
export function literalPrefixes(pattern: string | undefined): readonly string[] {
  if (pattern?.startsWith("^") !== true) return [];
  const prefixes = readLiterals(pattern.slice(1)).prefixes;
  return prefixes.every(({ length }) => length >= prefixLengthMin) ? prefixes : [];
}

/** Which mode a value says of itself by its beginning, where its field has one for each mode. */
export function keyModeOf(field: FieldSpec, value: Secret | undefined): KeyMode | undefined {
  const text = value?.reveal() ?? "";
  const prefix = literalPrefixes(field.pattern).find((each) => text.startsWith(each));
  if (prefix === undefined) return undefined;
  const words = prefix.split(/[^a-z]+/u);
  return words.includes("live") ? "live" : words.includes("test") ? "test" : undefined;
}

type Literals = { readonly prefixes: readonly string[]; readonly whole: boolean };

const atom = /^(?:\((?:\?:)?(?<group>[^()[\]]*)\)|\\(?<escaped>[^A-Za-z0-9])|(?<plain>[^\\()[\]{}.*+?^$|]))/u;

/** Reads literal signs, and groups of them, up to the first thing that can match differently. */
function readLiterals(source: string): Literals {
  let prefixes: readonly string[] = [""];
  let rest = source;
  while (rest !== "") {
    const found = atom.exec(rest);
    if (found === null) return { prefixes, whole: false };
    const { group, escaped, plain } = found.groups ?? {};
    const choices = group === undefined ? [escaped ?? plain ?? ""] : readChoices(group);
    const after = rest.slice(found[0].length);
    if (choices === undefined || /^[*+{]/u.test(after)) return { prefixes, whole: false };
    const optional = after.startsWith("?");
    const next = prefixes.flatMap((prefix) => [
      ...choices.map((choice) => prefix + choice),
      ...(optional ? [prefix] : []),
    ]);
    if (next.length > prefixesMax) return { prefixes, whole: false };
    prefixes = next;
    rest = optional ? after.slice(1) : after;
  }
  return { prefixes, whole: true };
}

function readChoices(group: string): readonly string[] | undefined {
  const choices = group.split("|").map(readLiterals);
  return choices.every(({ whole }) => whole) ? choices.flatMap(({ prefixes }) => prefixes) : undefined;
}
