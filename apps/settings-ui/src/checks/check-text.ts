import type { SavedKeys } from "@keyloan/contract";
import { sentence } from "../ui/prose.tsx";

/** What the broker answers about keys. */
export type Check = SavedKeys["check"];
export type Valid = Extract<Check, { status: "valid" }>;
export type Refusal = Extract<Check, { status: "invalid" }>;
export type Undetermined = Extract<Check, { status: "undetermined" }>;

const list = new Intl.ListFormat("en-GB", { type: "conjunction" });

/** "Account Acme GmbH, live mode." or nothing when the service told neither. */
export function accountText({ account, mode }: Valid): string {
  if (account === undefined && mode === undefined) return "";
  if (account === undefined) return mode === "live" ? "Live mode." : "Test mode.";
  return `Account ${account}${mode === undefined ? "" : `, ${mode} mode`}.`;
}

/** "Can read prices" as part of a sentence that says "can" itself; other names are sentences of their own. */
function ability(name: string): string | undefined {
  return /^Can (.+)$/.exec(name)?.[1];
}

/** "Can read prices and create prices. Both keys are of one instance." */
export function canText({ capabilities }: Valid): string {
  const names = capabilities.filter(({ state }) => state === "works").map(({ name }) => name);
  const abilities = names.flatMap((name) => ability(name) ?? []);
  const can = abilities.length === 0 ? [] : [`Can ${list.format(abilities)}.`];
  return [...can, ...names.filter((name) => ability(name) === undefined).map(sentence)].join(" ");
}

export function cannotText(name: string): string {
  const missing = ability(name);
  return missing === undefined ? `Not confirmed: ${asClause(name)}.` : `Cannot ${missing}.`;
}

/** "Not tested: whether the keys can create prices and whether both keys belong to the same account." */
export function notTriedText({ capabilities }: Valid): string {
  const names = capabilities.filter(({ state }) => state === "not_checked").map(({ name }) => name);
  const open = names.map((name) => `whether ${asClause(name)}`);
  return open.length === 0 ? "" : `Not tested: ${list.format(open)}.`;
}

function asClause(name: string): string {
  const can = ability(name);
  return can === undefined
    ? name.replace(/^(?:The|Both)\b/, (first) => first.toLowerCase())
    : `the keys can ${can}`;
}

/** Why there is no answer, without blame: nothing is known to be wrong with the keys. */
export function undeterminedText({ code, message }: Undetermined, label: string): string {
  switch (code) {
    case "timeout":
      return `${label} did not answer in time.`;
    case "provider_down":
      return `We could not reach ${label} right now.`;
    case "rate_limited":
      return `${label} asks us to wait before we try again.`;
    case "blocked_address":
      return sentence(message);
  }
}

/** The whole answer in one or two sentences, as it is read out. */
export function spokenText(check: Check, label: string): string {
  if (check.status === "valid") {
    const missing = check.capabilities.filter(({ state }) => state === "missing");
    return [`${label}: works.`, accountText(check), ...missing.map(({ name }) => cannotText(name))].join(" ");
  }
  if (check.status === "invalid") {
    return `${label} needs your attention. ${sentence(check.message)} ${sentence(check.remedy)}`;
  }
  return `${label}: not checked yet. ${undeterminedText(check, label)} Your keys are saved.`;
}
