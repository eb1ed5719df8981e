import type { SecretValues, ValidationResult } from "@keyloan/contract";
import { invalid } from "../kit/validation-results.ts";
import type { KeyNames } from "./keys.ts";

type Mistake = { readonly isSo: (value: string) => boolean; readonly what: string; readonly remedy: string };

const ownField = "Put each key into its own field.";
const publishable: Mistake = {
  isSo: (value) => value.startsWith("pk_"),
  what: "a publishable key (pk_)",
  remedy: "Put the restricted or secret key here, and the publishable key into its own field.",
};
const secret: Mistake = {
  isSo: (value) => /^[sr]k_(?:test|live)_/.test(value),
  what: "a secret key",
  remedy: ownField,
};
const secretShown: Mistake = {
  ...secret,
  what: "a secret key, which browsers would see",
  remedy: "Put the publishable key (pk_) here. If the secret key was ever shown in a browser, roll it.",
};
const webhook: Mistake = {
  isSo: (value) => value.startsWith("whsec_"),
  what: "the signing secret of a webhook (whsec_)",
  remedy: ownField,
};
/** RevenueCat's keys name no mode ("RevenueCat, authentication"); Stripe's always do. */
const revenueCat: Mistake = {
  isSo: (value) => /^(?:sk_(?!test_|live_)|atk_|(?:appl|goog|amzn|strp|rcb)_)[A-Za-z0-9]/.test(value),
  what: "a key that looks like RevenueCat's: Stripe's say _test_ or _live_",
  remedy: "Copy the key from the Stripe dashboard.",
};
/** Clerk's publishable keys begin like Stripe's and hold a host name and a dollar sign, in base64. */
const clerk: Mistake = {
  isSo: (value) => {
    const text = Buffer.from(/^pk_(?:test|live)_(.+)$/.exec(value)?.[1] ?? "", "base64").toString("latin1");
    return /^[a-z0-9-]+(?:\.[a-z0-9-]+)+\$$/.test(text);
  },
  what: "a publishable key of Clerk",
  remedy: "Copy the key from the Stripe dashboard.",
};
const product: Mistake = {
  isSo: (value) => value.startsWith("prod_"),
  what: "the id of a product, not of a price",
  remedy: "Open the product in the Stripe dashboard and copy the id of its price, which starts with price_.",
};

/** Names a value that is genuine but stands in the wrong field; `undefined` when none is seen. */
export function findMisplacedKey(names: KeyNames, values: SecretValues): ValidationResult | undefined {
  const places: readonly [name: string | undefined, mistakes: readonly Mistake[]][] = [
    [names.secretKey, [clerk, publishable, webhook, revenueCat]],
    [names.publishableKey, [clerk, secretShown, webhook, revenueCat]],
    [names.webhookSecret, [secret, publishable]],
    ["STRIPE_PRICE_ID", [product, secret, publishable, webhook]],
  ];
  for (const [name, mistakes] of places) {
    const value = name === undefined ? undefined : values[name]?.reveal();
    if (name === undefined || value === undefined) continue;
    const found = mistakes.find(({ isSo }) => isSo(value));
    if (found !== undefined) return invalid(name, "malformed", `${name} holds ${found.what}.`, found.remedy);
  }
  return undefined;
}
