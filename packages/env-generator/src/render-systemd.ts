import { EnvFormatError } from "./env-format-error.ts";
import type { EnvLine } from "./env-line.ts";
import { withGroupComments } from "./group-comment.ts";
import { plainValue, useJsonOrRun } from "./plain-value.ts";

// systemd takes these for no characters at all and then refuses the whole file.
const noncharacters = /\p{Noncharacter_Code_Point}/u;
// Several versions of systemd leave out a variable that holds any of these.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controlCharacters = /[\u0001-\u0008\u000b-\u001f\u007f]/;

/**
 * A file for systemd's `EnvironmentFile=`. Every value stands in double quotes, where lines, `$` and all else
 * stand for themselves and only `"` and `\` need a backslash (systemd.exec(5), EnvironmentFile=).
 * @throws EnvFormatError `carriage_return`, `control_character`, `nul` or `not_text`
 */
export function renderSystemd(lines: readonly EnvLine[]): string {
  return withGroupComments(lines, ({ name, value }) => {
    const text = carried(name, value.reveal());
    return `${name}="${text.replace(/["\\]/g, "\\$&")}"`;
  });
}

function carried(name: string, value: string): string {
  const text = plainValue(name, value);
  if (text.includes("\r")) {
    throw new EnvFormatError(
      "carriage_return",
      name,
      "holds a carriage return, for which some versions of systemd leave the variable out.",
      useJsonOrRun,
    );
  }
  if (controlCharacters.test(text)) {
    throw new EnvFormatError(
      "control_character",
      name,
      "holds a control character, for which some versions of systemd leave the variable out.",
      useJsonOrRun,
    );
  }
  if (noncharacters.test(text)) {
    throw new EnvFormatError(
      "not_text",
      name,
      "holds a code point that is no character, for which systemd refuses the whole file.",
      useJsonOrRun,
    );
  }
  return text;
}
