import { BrokerError } from "@keyloan/contract";
import type { Tables, TokenRow } from "@keyloan/store";

/**
 * Uses a single-use token up, in the transaction of what it was used for; other tokens pass.
 * @throws BrokerError `unauthenticated` when another request was first
 */
export async function consumeSingleUse(
  tables: Tables,
  token: TokenRow | undefined,
  now: number,
): Promise<void> {
  if (token?.singleUse !== true) return;
  if (await tables.tokens.markUsed(token.id, now)) return;
  throw new BrokerError("unauthenticated", "the token works only once and was already used", {
    remedy: "Ask for a new token.",
  });
}
