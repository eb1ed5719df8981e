import { type KeyMode, keyModeOf, type SecretValues, type ValidationResult } from "@keyloan/contract";
import { invalid } from "../kit/validation-results.ts";
import { keysPage, stripeSpec, testKeysPage } from "./spec.ts";

export type KeyNames = {
  readonly secretKey: string;
  readonly publishableKey: string;
};

export const orgNames: KeyNames = { secretKey: "secretKey", publishableKey: "publishableKey" };
export const envNames: KeyNames = {
  secretKey: "STRIPE_SECRET_KEY",
  publishableKey: "STRIPE_PUBLISHABLE_KEY",
};

/** Refuses live keys: what builds borrow must never move money. */
export function findLiveKey(names: KeyNames, values: SecretValues): ValidationResult | undefined {
  const live = [names.secretKey, names.publishableKey].find(
    (name) => modeOf(values[name]?.reveal() ?? "") === "live",
  );
  if (live === undefined) return undefined;
  return invalid(
    live,
    "wrong_mode",
    "A live key moves real money and cannot be lent.",
    `Use the keys of test mode, or of a sandbox: ${testKeysPage}`,
  );
}

/** Refuses two keys that differ in mode or, where both show it, in account. */
export function findWrongPair(names: KeyNames, values: SecretValues): ValidationResult | undefined {
  const secret = values[names.secretKey]?.reveal() ?? "";
  const publishable = values[names.publishableKey]?.reveal() ?? "";
  const remedy = `Copy both keys again from the same account and mode: ${keysPage}`;
  if (modeOf(secret) !== modeOf(publishable)) {
    return invalid(
      names.publishableKey,
      "wrong_pair",
      "One key is for testing, the other moves real money.",
      remedy,
    );
  }
  if (ofOneAccount(secret, publishable) !== false) return undefined;
  return invalid(names.publishableKey, "wrong_pair", "The two keys belong to different accounts.", remedy);
}

/** Whether two keys show that they are of one account; `undefined` when either does not show its account. */
export function ofOneAccount(secretKey: string, publishableKey: string): boolean | undefined {
  const [first, second] = [accountHint(secretKey), accountHint(publishableKey)];
  return first === undefined || second === undefined ? undefined : first === second;
}

/** The mode that a key of either kind tells by its beginning. */
export function modeOf(key: string): KeyMode {
  return stripeSpec.orgFields.some((field) => keyModeOf(field, key) === "live") ? "live" : "test";
}

/** Newer, long keys go on with `51` and the account's own letters. Observed, not documented: a hint only. */
function accountHint(key: string): string | undefined {
  return /^[a-z]{2}_(?:test|live)_51([A-Za-z0-9]{14})[A-Za-z0-9]{70,}$/.exec(key)?.[1];
}
