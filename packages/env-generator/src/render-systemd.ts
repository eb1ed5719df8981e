import type { EnvLine } from "./env-line.ts";
import { withGroupComments } from "./group-comment.ts";
import { type Refusal, refuseNoText } from "./refusal.ts";

// systemd does not accept these as characters and refuses the whole file because of them.
const noncharacters = /\p{Noncharacter_Code_Point}/u;
// Several versions of systemd leave out a variable whose value contains any of these.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controlCharacters = /[\u0001-\u0008\u000b-\u001f\u007f]/;

/**
 * A file for systemd's `EnvironmentFile=`. Every value is in double quotes, where line ends, `$` and everything else
 * stand for themselves and only `"` and `\` need a backslash (systemd.exec(5), EnvironmentFile=).
 */
export function renderSystemd(lines: readonly EnvLine[]): string {
  return withGroupComments(
    lines,
    ({ name, value }) => `${name}="${value.reveal().replace(/["\\]/g, "\\$&")}"`,
  );
}

/** Refuses what some version of systemd drops, or refuses the whole file for. */
export function refuseForSystemd(line: EnvLine): Refusal | undefined {
  const text = line.value.reveal();
  if (text.includes("\r")) {
    return {
      code: "carriage_return",
      reason: "contains a carriage return, which makes some versions of systemd skip the variable.",
    };
  }
  if (controlCharacters.test(text)) {
    return {
      code: "control_character",
      reason: "contains a control character, which makes some versions of systemd skip the variable.",
    };
  }
  if (noncharacters.test(text)) {
    return {
      code: "not_text",
      reason: "contains a code point that is not a character, which makes systemd refuse the whole file.",
    };
  }
  return refuseNoText(line);
}
