import { EnvFormatError, type EnvFormatErrorCode } from "./env-format-error.ts";
import type { EnvLine } from "./env-line.ts";
import { withGroupComments } from "./group-comment.ts";
import { plainValue, useJsonOrRun } from "./plain-value.ts";

/**
 * A `.env` file that reads the same in dotenv, @next/env, Vite and Node's `--env-file`. The four have no escape
 * in common, so a value is quoted so that it needs none, and refused by name when no quoting does that.
 * @throws EnvFormatError `carriage_return`, `expansion`, `quoting`, `nul` or `not_text`
 */
export function renderDotenv(lines: readonly EnvLine[]): string {
  return withGroupComments(lines, ({ name, value }) => `${name}=${quoteDotenv(name, value.reveal())}`);
}

function quoteDotenv(name: string, value: string): string {
  const text = plainValue(name, value);
  const refuse = (code: EnvFormatErrorCode, reason: string): never => {
    throw new EnvFormatError(code, name, reason, useJsonOrRun);
  };
  if (text.includes("\r")) {
    refuse("carriage_return", "holds a carriage return, which readers of .env files drop or change.");
  }
  // @next/env and Vite expand `$NAME` and `${…}` in any quotes and turn `\$` into `$`; the other two do neither.
  if (/\$[A-Za-z0-9_{]|\\\$/.test(text)) {
    refuse(
      "expansion",
      "holds a dollar sign that some readers of .env files expand, and none of them can escape alike.",
    );
  }
  const quote = ["'", '"', "`"].find((candidate) => fitsQuotes(text, candidate));
  if (quote !== undefined) return quote + text + quote;
  if (fitsBare(text)) return text;
  return refuse("quoting", "mixes quotes, backslashes or line breaks in a way that .env files cannot carry.");
}

/** Nothing inside ends the quotes, also not for readers to whom a backslash before a quote hides it. */
function fitsQuotes(text: string, quote: string): boolean {
  if (text.includes(quote) || text.endsWith("\\")) return false;
  return quote !== '"' || !/\\[nr]/.test(text);
}

/** Without quotes: one line, no comment sign, nothing that is trimmed, and no quote to be taken for one. */
function fitsBare(text: string): boolean {
  return text !== "" && text.trim() === text && !/^['"`]|[#\n\u2028\u2029]/.test(text);
}
