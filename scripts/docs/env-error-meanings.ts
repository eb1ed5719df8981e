import type { EnvFileErrorCode, EnvFormatErrorCode } from "../../packages/env-generator/src/index.ts";

/** Why a variable is not written as asked. */
export const envFormatMeanings: Readonly<Record<EnvFormatErrorCode, string>> = {
  bad_name: "The format, or the system that reads it, does not allow the name.",
  duplicate_name: "One name would have two values.",
  missing_value: "A variable that must have a value has none.",
  undeclared_variable: "A value has a name that no connector declares.",
  secret_exposed: "A secret would have a name that browsers can see.",
  test_key: "A test key would be in a file for production.",
  live_key: "A live key would be in a file for a preview.",
  not_text: "The value holds half of a surrogate pair, or a code point that is not a character.",
  nul: "The value holds a NUL, which no environment can hold.",
  newline: "The value holds a line break, and the format has only one line for each variable.",
  carriage_return: "The value holds a carriage return that a reader would drop.",
  control_character: "The value holds a control character that makes a reader skip the variable.",
  expansion:
    "The value holds text that some readers would replace, run as a command or decrypt, no matter how it is quoted.",
  quoting: "No kind of quotes lets all readers of the format read the value back.",
  surrounding_quotes: "The value is in quotes, which some readers remove.",
  too_long: "The line, or all values together, are longer than a reader accepts.",
};

/** Why nothing is merged into an existing file. */
export const envFileMeanings: Readonly<Record<EnvFileErrorCode, string>> = {
  unclear_line:
    "Programs would disagree on where a line or its quotes end, or a shell would misread what is below it.",
  broken_block: "The marks around Keyloan's block are not exactly one pair in order.",
  name_outside: "The file sets a name outside the block that the block sets too.",
};
