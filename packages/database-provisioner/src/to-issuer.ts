import { type DatabaseDriver, type Issuer, ProviderError } from "@keyloan/contract";
import { type WaitDeps, waitUntil } from "./wait-until.ts";

const readyTimeoutMsDefault = 30_000;

/**
 * A database as the lease code sees every credential: create or adopt, mint access, wait until it really
 * serves; renew mints access anew; revoke drops. Every step may be repeated after a crash.
 * @throws ProviderError `unavailable` from `issue` when the database does not serve in time
 */
export function toIssuer(
  driver: DatabaseDriver,
  deps: WaitDeps & { readonly readyTimeoutMs?: number },
): Issuer {
  const timeoutMs = deps.readyTimeoutMs ?? readyTimeoutMsDefault;
  return {
    plan: driver.plan,
    issue: async (context, org, lease) => {
      const location = await driver.create(context, org, lease);
      const values = await driver.access(context, org, lease, location);
      const { signal } = context;
      if (await waitUntil(deps, { timeoutMs, signal }, () => driver.ready(context, values))) return values;
      throw new ProviderError("database", "unavailable", "was created but does not serve yet");
    },
    renew: async (context, org, lease) =>
      driver.access(context, org, lease, await driver.locate(context, org, lease)),
    revoke: driver.drop,
  };
}
