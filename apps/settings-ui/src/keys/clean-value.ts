import { parsePastedEnv } from "@keyloan/contract";
import { cleanText } from "@keyloan/key-validator/clean-text";
import type { Variable } from "./services.ts";

export type CleanValue = { readonly value: string; readonly repair?: string };

/**
 * A value as it was pasted, without what certainly does not belong to it, and what was taken away.
 * @param names of whose line the value may be taken
 */
export function cleanValue(
  pasted: string,
  variable: Pick<Variable, "pattern">,
  names: readonly string[] = [],
): CleanValue {
  const { entries } = parsePastedEnv(pasted);
  const only = entries.length === 1 ? entries[0] : undefined;
  if (only !== undefined && names.includes(only.name) && pasted.includes(only.name)) {
    return { value: only.value, repair: `Taken from the line ${only.name}=…` };
  }
  const { text, notes } = cleanText(variable, pasted);
  return { value: text, ...(notes.length === 0 ? {} : { repair: notes.join(" ") }) };
}
