import type Stripe from "stripe";
import * as z from "zod";
import { checkAnswer } from "./client.ts";
import { readFailure } from "./errors.ts";

export type Account = {
  /** As its owner knows it: the name it gave itself, else its id. */
  readonly name: string | undefined;
  /** Whether Stripe lets it take payments; `undefined` when the key may not know. */
  readonly takesPayments: boolean | undefined;
};

const nameSchema = z.string().min(1).max(200).nullish().catch(undefined);
const accountSchema = z.object({
  id: z.string().regex(/^acct_[A-Za-z0-9]{1,60}$/),
  charges_enabled: z.boolean().optional(),
  business_profile: z.object({ name: nameSchema }).nullish().catch(undefined),
  settings: z
    .object({ dashboard: z.object({ display_name: nameSchema }) })
    .nullish()
    .catch(undefined),
});

/**
 * Whose key it is (Stripe API, `GET /v1/account`). Restricted keys are mostly refused it, and the refusal
 * names the account; whatever else goes wrong, other calls decide about the key.
 */
export async function readAccount(stripe: Stripe): Promise<Account> {
  try {
    const answer = checkAnswer("account", await stripe.accounts.retrieveCurrent());
    const account = accountSchema.parse(answer);
    const name = account.settings?.dashboard.display_name ?? account.business_profile?.name;
    return {
      name: name == null ? account.id : `${name} (${account.id})`,
      takesPayments: account.charges_enabled,
    };
  } catch (error) {
    return { name: readFailure(error).account, takesPayments: undefined };
  }
}
