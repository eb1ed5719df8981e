import type { InvalidKeyCode, KeyMode, SecretValues, ValidationResult } from "@keyloan/contract";
import { keysPage } from "./spec.ts";

export type KeyNames = { readonly secretKey: string; readonly publishableKey: string };

export const orgNames: KeyNames = { secretKey: "secretKey", publishableKey: "publishableKey" };
export const envNames: KeyNames = {
  secretKey: "STRIPE_SECRET_KEY",
  publishableKey: "STRIPE_PUBLISHABLE_KEY",
};

/** Names a key that stands in the other key's field; `undefined` when none does. */
export function findSwappedKey(names: KeyNames, values: SecretValues): ValidationResult | undefined {
  if (values[names.secretKey]?.reveal().startsWith("pk_") === true) {
    return invalid(
      names.secretKey,
      "malformed",
      `${names.secretKey} holds a publishable key (pk_)`,
      "Put the secret or restricted key here, and the publishable key into its own field.",
    );
  }
  if (/^[sr]k_/.test(values[names.publishableKey]?.reveal() ?? "")) {
    return invalid(
      names.publishableKey,
      "malformed",
      `${names.publishableKey} holds a secret key, which browsers would see`,
      "Put the publishable key (pk_) here. If the secret key was ever shown in a browser, roll it.",
    );
  }
  return undefined;
}

/** Refuses live keys: what builds borrow must never move money. */
export function findLiveKey(names: KeyNames, values: SecretValues): ValidationResult | undefined {
  const live = [names.secretKey, names.publishableKey].find(
    (name) => modeOf(values[name]?.reveal() ?? "") === "live",
  );
  if (live === undefined) return undefined;
  return invalid(
    live,
    "wrong_mode",
    "a live key moves real money and cannot be lent",
    `Put the keys of test mode, or of a sandbox: ${keysPage}`,
  );
}

/** Refuses two keys that differ in mode or, where both show it, in account. */
export function findWrongPair(names: KeyNames, values: SecretValues): ValidationResult | undefined {
  const secret = values[names.secretKey]?.reveal() ?? "";
  const publishable = values[names.publishableKey]?.reveal() ?? "";
  const remedy = `Copy both keys again from one account and one mode: ${keysPage}`;
  if (modeOf(secret) !== modeOf(publishable)) {
    return invalid(names.publishableKey, "wrong_pair", "one key is test, the other live", remedy);
  }
  const [first, second] = [accountHint(secret), accountHint(publishable)];
  if (first === undefined || second === undefined || first === second) return undefined;
  return invalid(names.publishableKey, "wrong_pair", "the keys belong to two accounts", remedy);
}

/** The mode a key's prefix tells. */
export function modeOf(key: string): KeyMode {
  return /^[a-z]{2}_live_/.test(key) ? "live" : "test";
}

/** Newer, long keys go on with `51` and the account's own letters. Observed, not documented: a hint only. */
function accountHint(key: string): string | undefined {
  return /^[a-z]{2}_(?:test|live)_51([A-Za-z0-9]{14})[A-Za-z0-9]{70,}$/.exec(key)?.[1];
}

export function invalid(
  envVar: string,
  code: InvalidKeyCode,
  message: string,
  remedy: string,
): ValidationResult {
  return { status: "invalid", envVar, code, message, remedy };
}
