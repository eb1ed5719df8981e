import type { MiddlewareHandler } from "hono";
import type { EmulatorEnv } from "../kit/emulator-app.ts";
import { refuse } from "./emulator-http.ts";
import type { StripeState } from "./emulator-store.ts";

/** Every secret key of an account that is accepted. */
export function secretKeysOf(state: StripeState): string[] {
  const { restrictedKey, limitedKey, readOnlyKey, sellingKey, secretKey } = state;
  // Accounts that were made before a kind of key was there have an empty one.
  return [restrictedKey, limitedKey, readOnlyKey, sellingKey, secretKey].filter((key) => key !== "");
}

const resources: readonly [path: RegExp, name: string][] = [
  [/^\/v1\/account$/, "rak_accounts_kyc_basic"],
  [/^\/v1\/balance/, "rak_balance"],
  [/^\/v1\/products/, "rak_product"],
  [/^\/v1\/prices/, "rak_plan"],
  [/^\/v1\/checkout\/sessions/, "rak_checkout_session"],
  [/^\/v1\/payment_intents/, "rak_payment_intent"],
  [/^\/v1\/webhook_endpoints/, "rak_webhook"],
];

/** What a restricted key may do; a full one, all. Writing includes reading. */
function mayDo(state: StripeState, key: string, resource: string, writes: boolean): boolean {
  if (key === state.secretKey) return true;
  if (resource === "rak_accounts_kyc_basic") return false;
  if (key === state.restrictedKey) return true;
  if (key === state.readOnlyKey) return !writes;
  if (key === state.sellingKey && resource === "rak_checkout_session") return true;
  return !writes && ["rak_balance", "rak_product", "rak_plan"].includes(resource);
}

/** Answers a key that may not do something as Stripe does: 403, naming account and missing permission. */
export function limitKeys(state: StripeState): MiddlewareHandler<EmulatorEnv> {
  return async ({ req }, next) => {
    const key = req.header("authorization")?.replace(/^bearer /i, "") ?? "";
    const resource = resources.find(([path]) => path.test(req.path))?.[1];
    const writes = req.method !== "GET";
    if (resource === undefined || mayDo(state, key, resource, writes)) return next();
    const permission = `${resource}_${writes ? "write" : "read"}`;
    return refuse({
      status: 403,
      message: `The provided key '${maskKey(key)}' does not have the required permissions for this endpoint on account '${state.account}'. Having the '${permission}' permission would allow this request to continue.`,
    });
  };
}

/** A key as Stripe's messages show it. */
export function maskKey(key: string): string {
  return `${key.slice(0, 8)}${"*".repeat(Math.max(key.length - 12, 0))}${key.slice(-4)}`;
}
