import { parsePastedEnv } from "@keyloan/contract";

export type CleanValue = { readonly value: string; readonly repair?: string };

const invisible = /[\u200B-\u200D\u2060\uFEFF\u00AD]/g;

/** A value as it was pasted, without what certainly does not belong to it, and what was taken away. */
export function cleanValue(pasted: string, names: readonly string[]): CleanValue {
  const { entries } = parsePastedEnv(pasted);
  const only = entries.length === 1 ? entries[0] : undefined;
  if (only !== undefined && names.includes(only.name) && pasted.includes(only.name)) {
    return { value: only.value, repair: `Taken from the line ${only.name}=…` };
  }
  const visible = pasted.replace(invisible, "");
  const trimmed = visible.trim();
  const unquoted = /^(["'`])(.*)\1$/su.exec(trimmed)?.[2] ?? trimmed;
  if (unquoted !== trimmed) return { value: unquoted, repair: "Removed the quotes around it." };
  if (visible !== pasted) return { value: trimmed, repair: "Removed invisible characters." };
  if (trimmed !== pasted) return { value: trimmed, repair: "Removed the spaces around it." };
  return { value: pasted };
}
