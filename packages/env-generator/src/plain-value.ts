import { EnvFormatError } from "./env-format-error.ts";

/**
 * The text of a value, when it is one that a process environment can hold at all.
 * @throws EnvFormatError `nul` or `not_text`
 */
export function plainValue(name: string, value: string): string {
  if (value.includes("\0")) {
    throw new EnvFormatError(
      "nul",
      name,
      "holds a NUL character, which no process environment can carry.",
      useJson,
    );
  }
  if (!value.isWellFormed()) {
    throw new EnvFormatError(
      "not_text",
      name,
      "holds half of a surrogate pair, which has no UTF-8 form.",
      useJson,
    );
  }
  return value;
}

export const useJson = "Ask for the format json, which carries every text.";
export const useJsonOrRun =
  "Ask for the format json or shell, or start the program with `keyloan run`, which passes values as they are.";
