export type EnvFormatErrorCode =
  | "bad_name"
  | "duplicate_name"
  | "missing_value"
  | "undeclared_variable"
  | "secret_exposed"
  | "test_key"
  | "live_key"
  | "not_text"
  | "nul"
  | "newline"
  | "carriage_return"
  | "control_character"
  | "expansion"
  | "quoting"
  | "surrounding_quotes"
  | "too_long";

/** A variable cannot be written as requested. The error says which, why and what to do, and never holds the value. */
export class EnvFormatError extends Error {
  override readonly name = "EnvFormatError";
  readonly code: EnvFormatErrorCode;
  readonly variable: string;
  readonly remedy: string;

  constructor(code: EnvFormatErrorCode, variable: string, reason: string, remedy: string) {
    const shown = /^\w{1,255}$/.test(variable) ? variable : JSON.stringify(variable.slice(0, 64));
    super(`${shown} ${reason}`);
    this.code = code;
    this.variable = shown;
    this.remedy = remedy;
  }
}
