import { growthOf, isLinear, timeOf } from "./growth.ts";

const length = 1_500;
/** What texts from outside repeat most easily, whatever the pattern. */
const anyUnits = [" ", "\t", "a", "0", "/", "=", ",", '"', "[", "(", "."];
/** Nothing wants these, so a repetition that they end is looked for in vain. */
const ends = ["\u0001", "\n\u0001", "\t\u0001"];
/** Below this no pump is worth comparing; above it only the comparison counts. */
const noticeableMs = 1;

/**
 * A text on which a pattern takes clearly more than linear time, described: what it wants up to a place, then what it
 * wants there many times over, then what it does not want.
 */
export function findPump(expression: RegExp): string | undefined {
  const parts = partsOf(expression);
  for (let place = 0; place <= parts.length; place++) {
    const start = parts.slice(0, place).join("");
    const units = [parts[place], parts[place - 1], parts.slice(place, place + 2).join(""), ...anyUnits];
    for (const unit of new Set(units)) {
      if (unit === undefined || unit === "") continue;
      const end = ends.find((end) =>
        isSlow(expression, (times) => start + unit.repeat(times) + end, unit.length),
      );
      if (end !== undefined) return `${JSON.stringify(start)}, then ${JSON.stringify(unit)}`;
    }
  }
  return undefined;
}

function isSlow(expression: RegExp, textOf: (times: number) => string, unitLength: number): boolean {
  const work = (characters: number) => {
    const text = textOf(Math.ceil(characters / unitLength));
    return () => search(expression, text);
  };
  if (timeOf(work(length * 8)) < noticeableMs) return false;
  return !isLinear(growthOf(work, length));
}

function search(expression: RegExp, text: string): void {
  expression.lastIndex = 0;
  if (expression.global) text.match(expression);
  else expression.test(text);
}

/** A text for each piece of a pattern, of which the first alternatives together are mostly a match. */
function partsOf({ source, flags }: RegExp): readonly string[] {
  const parts: string[] = [];
  let rest = source;
  for (let found = pieces.exec(rest); found !== null && rest !== ""; found = pieces.exec(rest)) {
    const { lookaround, anchor, alternative, atom } = found.groups ?? {};
    rest = rest.slice(found[0].length);
    if (lookaround !== undefined || alternative !== undefined)
      rest = rest.slice(endOfGroup(rest, alternative));
    else if (atom !== undefined && anchor === undefined) {
      const single = new RegExp(`^${atom}$`, flags.replace(/[gy]/g, ""));
      parts.push([atom, atom.slice(1), ...signs].find((sign) => single.test(sign)) ?? "");
    }
  }
  return parts.filter((part) => part !== "");
}

const signs = [
  ..."aA0",
  ..." \t\n_-./:=+,;#\"'`[](){}<>?!*&%$@~|\\^",
  "\u0000",
  "\u2028",
  "\u200B",
  "…",
  "é",
  "\uFFFF",
];
const pieces =
  /^(?:(?<lookaround>\(\?<?[=!])|(?<group>\((?:\?:|\?<\w+>)?|\))|(?<alternative>\|)|(?<anchor>[\^$]|\\[bB])|(?<count>[*+?]\??|\{\d+(?:,\d*)?\}\??)|(?<atom>\\u[0-9a-fA-F]{4}|\\[pP]\{[^}]*\}|\\.|\[(?:\\.|[^\]\\])*\]|.))/s;

/** Behind the end of a group that is passed over; of an alternative, before it. */
function endOfGroup(rest: string, alternative: string | undefined): number {
  let depth = 1;
  for (let at = 0; at < rest.length; at++) {
    if (rest[at] === "\\") at++;
    else if (rest[at] === "[") while (at < rest.length && rest[at] !== "]") at += rest[at] === "\\" ? 2 : 1;
    else if (rest[at] === "(") depth++;
    else if (rest[at] === ")" && --depth === 0) return alternative === undefined ? at + 1 : at;
  }
  return rest.length;
}
