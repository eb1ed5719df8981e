import type { EnvFormatErrorCode } from "./env-format-error.ts";
import type { EnvLine } from "./env-line.ts";

/** Why a format cannot carry a variable. */
export type Refusal = {
  readonly code: EnvFormatErrorCode;
  /** A sentence whose subject is the variable. */
  readonly reason: string;
  /** What to do if another format would not help. */
  readonly remedy?: string;
};

/** Refuses values that no process environment can hold; every format but JSON does so. */
export function refuseNoText({ value }: EnvLine): Refusal | undefined {
  const text = value.reveal();
  if (text.includes("\0")) {
    return { code: "nul", reason: "contains a NUL character, which no process environment can hold." };
  }
  if (!text.isWellFormed()) {
    return { code: "not_text", reason: "contains half of a surrogate pair, which has no UTF-8 form." };
  }
  return undefined;
}
