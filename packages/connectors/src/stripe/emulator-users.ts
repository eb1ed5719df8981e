import * as z from "zod";
import type { UserEnvOptions } from "../kit/emulator.ts";
import { openEmulatorState, randomText } from "../kit/emulator-state.ts";
import { createPrice, createProduct } from "./emulator-catalog.ts";
import { createStripeState, type StripeState, stripeStateSchema } from "./emulator-store.ts";

const usersSchema = z.object({ accounts: z.array(stripeStateSchema) });

export type UserAccounts = {
  readonly list: () => readonly StripeState[];
  readonly save: () => Promise<void>;
  readonly createEnv: (options?: UserEnvOptions) => Promise<Record<string, string>>;
};

/** Accounts of other people, each with its keys, one product and its price. */
export async function openUserAccounts(stateDirectory: string): Promise<UserAccounts> {
  const { value, save } = await openEmulatorState(stateDirectory, "stripe-users", usersSchema, () => ({
    accounts: [],
  }));
  const add = async (mode: "test" | "live") => {
    const account = createStripeState(mode, "Acme GmbH");
    value.accounts.push(account);
    await save();
    return account;
  };
  return {
    list: () => value.accounts,
    save,
    createEnv: async ({ mode = "live", kind = "good" } = {}) => {
      const account = await add(mode);
      const shown = kind === "wrong-pair" ? await add(mode) : account;
      const keys = {
        good: account.restrictedKey,
        "read-only": account.readOnlyKey,
        limited: account.sellingKey,
        wide: account.secretKey,
        "wrong-pair": account.restrictedKey,
      };
      const priceId = makePrice(account);
      await save();
      return {
        STRIPE_SECRET_KEY: keys[kind],
        STRIPE_PUBLISHABLE_KEY: shown.publishableKey,
        STRIPE_PRICE_ID: priceId,
        STRIPE_WEBHOOK_SECRET: `whsec_${randomText(32)}`,
      };
    },
  };
}

function makePrice(account: StripeState): string {
  const product = createProduct(account, new Map([["name", "Plan"]]));
  if ("status" in product) throw new Error("the user's product was not made");
  const wanted = { product: product.id, currency: "eur", unit_amount: "900" };
  const price = createPrice(account, new Map(Object.entries(wanted)));
  if ("status" in price) throw new Error("the user's price was not made");
  return price.id;
}
