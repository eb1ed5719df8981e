import type { EnvFileErrorCode, EnvFormatErrorCode } from "../../packages/env-generator/src/index.ts";

/** Why a variable is not written as asked. */
export const envFormatMeanings: Readonly<Record<EnvFormatErrorCode, string>> = {
  bad_name: "The name is none that the format, or the system that reads it, can carry.",
  duplicate_name: "One name would stand for two values.",
  missing_value: "A variable that must have a value has none.",
  undeclared_variable: "A value stands under a name that no connector declares.",
  secret_exposed: "A secret would stand under a name that browsers get to see.",
  test_key: "A test key would stand in a file for production.",
  live_key: "A live key would stand in a file for a preview.",
  not_text: "The value holds half of a surrogate pair, or a code point that is no character.",
  nul: "The value holds a NUL, which no environment can carry.",
  newline: "The value holds a line break, and the format has one line for each variable.",
  carriage_return: "The value holds a carriage return that a reader would drop.",
  control_character: "The value holds a control character, for which a reader leaves the variable out.",
  expansion:
    "The value holds text that some readers would replace, run as a command or decrypt, whatever the quotes.",
  quoting: "No kind of quotes lets all readers of the format read the value back.",
  surrounding_quotes: "The value stands in quotes, which some readers remove.",
  too_long: "The line, or all values together, are longer than a reader takes.",
};

/** Why nothing is merged into an existing file. */
export const envFileMeanings: Readonly<Record<EnvFileErrorCode, string>> = {
  unclear_line:
    "Programs would not agree on where a line or its quotes end, or a shell on what stands below it.",
  broken_block: "The marks around Keyloan's block are not one pair in order.",
  name_outside: "The file sets a name outside the block that stands in it too.",
};
