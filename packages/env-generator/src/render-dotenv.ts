import type { EnvLine } from "./env-line.ts";
import { withGroupComments } from "./group-comment.ts";
import { hasLineOfItsOwn } from "./lines-of-their-own.ts";
import { type Refusal, refuseNoText } from "./refusal.ts";

// zsh replaces a command name after a leading `=`, or after `:=`, by the path of that command.
const bare = /^(?!=|.*:=)[A-Za-z0-9_./:@%+,=-]+$/;
// Python, and others that split lines as Unicode defines it, take many of these for the end of a line.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controlCharacters = /[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/;

/** A `.env` file. Its readers have no escape in common, so each value is quoted in a way that needs none. */
export function renderDotenv(lines: readonly EnvLine[]): string {
  return withGroupComments(lines, ({ name, value }) => {
    const text = value.reveal();
    const quote = quoteFor(text);
    return `${name}=${quote}${text}${quote}`;
  });
}

/** Refuses what some reader of `.env` files would change or run, however it is quoted. */
export function refuseForDotenv(line: EnvLine): Refusal | undefined {
  const noText = refuseNoText(line);
  if (noText !== undefined) return noText;
  const text = line.value.reveal();
  if (text.includes("\r")) {
    return {
      code: "carriage_return",
      reason: "contains a carriage return, which readers of .env files drop or change.",
    };
  }
  if (controlCharacters.test(text)) {
    return {
      code: "control_character",
      reason: "contains a control character, which some readers of .env files treat as the end of a line.",
    };
  }
  if (hasLineOfItsOwn(text)) {
    return {
      code: "newline",
      reason:
        "has a line that some readers of .env files, which read line by line, treat as a variable or a rule.",
    };
  }
  if (text.includes("$(")) {
    return {
      code: "expansion",
      reason: "contains $(, after which some readers of .env files run a command.",
    };
  }
  // @next/env, Vite and dotenv-expand expand `$NAME` and `${…}` in any quotes and turn `\$` into `$`.
  if (/\$[A-Za-z0-9_{]|\\\$/.test(text)) {
    return {
      code: "expansion",
      reason:
        "contains a dollar sign that some readers of .env files expand, and there is no escape that all of them understand.",
    };
  }
  if (text.startsWith("encrypted:")) {
    return {
      code: "expansion",
      reason: "starts with encrypted:, which some readers of .env files decrypt.",
    };
  }
  if (!fitsQuote(text, quoteFor(text))) {
    return {
      code: "quoting",
      reason: "mixes quotes, backslashes or dollar signs in a way that .env files do not support.",
    };
  }
  return undefined;
}

/** Whether a value means itself without quotes, in sh, bash and zsh too, and for readers that keep quotes. */
export function isBare(text: string): boolean {
  return bare.test(text);
}

function quoteFor(text: string): "" | "'" | '"' {
  if (isBare(text)) return "";
  return text.includes("'") ? '"' : "'";
}

/** Whether nothing in the text ends the quotes, is an escape for any reader, or is run by a shell. */
function fitsQuote(text: string, quote: "" | "'" | '"'): boolean {
  if (quote === '"') return !/["\\$`]/.test(text);
  return quote === "" || !/\\(?:\\|$)/.test(text);
}
