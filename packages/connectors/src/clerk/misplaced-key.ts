import type { SecretValues, ValidationResult } from "@keyloan/contract";
import { invalid } from "../kit/validation-results.ts";

export type Names = { readonly secretKey: string; readonly publishableKey: string };

/** Names a key that is genuine but stands in the wrong field; `undefined` when none is seen. */
export function findMisplacedKey(names: Names, values: SecretValues): ValidationResult | undefined {
  const secret = values[names.secretKey]?.reveal() ?? "";
  const publishable = values[names.publishableKey]?.reveal() ?? "";
  const mistakes: readonly [name: string, isSo: boolean, what: string][] = [
    [names.secretKey, secret.startsWith("pk_"), "a publishable key (pk_)"],
    [names.secretKey, secret.startsWith("whsec_"), "the signing secret of a webhook (whsec_)"],
    [names.secretKey, isStripes(secret), "a key of Stripe"],
    [names.publishableKey, publishable.startsWith("sk_"), "a secret key (sk_), which browsers would see"],
    [names.publishableKey, isStripes(publishable), "a key of Stripe"],
  ];
  const found = mistakes.find(([, isSo]) => isSo);
  if (found === undefined) return undefined;
  const [name, , what] = found;
  return invalid(name, "malformed", `${name} holds ${what}.`, "Put each key into its own field.");
}

/** Only Stripe has restricted keys, and its long keys go on with 51. Clerk's keys have neither. */
function isStripes(key: string): boolean {
  return /^(?:rk_|[ps]k_(?:test|live)_51[A-Za-z0-9]{84})/.test(key);
}
