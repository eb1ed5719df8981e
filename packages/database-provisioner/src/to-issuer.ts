import {
  type ConnectorContext,
  type DatabaseDriver,
  type Issuer,
  ProviderError,
  type SecretValues,
} from "@keyloan/contract";
import { type WaitTools, waitUntil } from "./wait-until.ts";

export type IssuerTools = WaitTools & {
  /** How long a new database may take until it accepts its credential. Default 20 s. */
  readonly readyTimeoutMs?: number;
  /** The provider named in the error if it never does. */
  readonly provider?: string;
};

const readyTimeoutMsDefault = 20_000;
const pauses = { firstPauseMs: 10, longestPauseMs: 1_000 } as const;

/**
 * Turns a database driver into an issuer, so that databases can be leased like keys.
 *
 * `issue` creates or adopts the planned database, mints a credential, and returns it once the database accepts it.
 * Nothing is undone on failure: `issue` may be repeated, and `revoke` drops, by the plan, whatever was created.
 * `renew` mints another credential for the same database; `revoke` drops the database.
 */
export function toIssuer(driver: DatabaseDriver, tools: IssuerTools): Issuer {
  return {
    plan: driver.plan,
    issue: async (context, org, lease) => {
      const location = await driver.create(context, org, lease);
      const values = await driver.access(context, org, lease, location);
      await waitUntilServing(driver, tools, context, values);
      return values;
    },
    renew: async (context, org, lease) =>
      driver.access(context, org, lease, await driver.locate(context, org, lease)),
    ...(driver.rotate === undefined ? {} : { rotate: driver.rotate }),
    ...(driver.list === undefined ? {} : { list: driver.list }),
    revoke: driver.drop,
  };
}

/** @throws ProviderError `timeout` if the time is up or the context's signal ends the wait */
async function waitUntilServing(
  driver: DatabaseDriver,
  tools: IssuerTools,
  context: ConnectorContext,
  values: SecretValues,
): Promise<void> {
  const limits = { ...pauses, timeoutMs: tools.readyTimeoutMs ?? readyTimeoutMsDefault };
  const serves = await waitUntil(() => probe(driver, context, values), limits, context.signal, tools).catch(
    (error: unknown) => {
      if (error instanceof ProviderError || !context.signal.aborted) throw error;
      return false;
    },
  );
  if (serves) return;
  throw new ProviderError(
    tools.provider ?? "the database",
    "timeout",
    "does not serve its new credential yet",
  );
}

/** A temporary failure counts as "not ready"; any other failure, or one after the caller's signal, is thrown. */
async function probe(
  driver: DatabaseDriver,
  context: ConnectorContext,
  values: SecretValues,
): Promise<boolean> {
  try {
    return await driver.ready(context, values);
  } catch (error) {
    if (error instanceof ProviderError && error.retryable && !context.signal.aborted) return false;
    throw error;
  }
}
