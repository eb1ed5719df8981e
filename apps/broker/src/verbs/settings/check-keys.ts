import { BrokerError, type Connector, type KeyCheck, Secret, type SecretValues } from "@keyloan/contract";
import { checkUserKeys } from "@keyloan/key-validator";
import type { Deps } from "../../deps.ts";
import { describeError } from "../../observe/logger.ts";

export type CheckedKeys = {
  readonly values: SecretValues;
  readonly check: KeyCheck;
  readonly repairs: readonly { readonly name: string; readonly message: string }[];
};

/**
 * Checks a user's values at the provider, through the address guard, and whether they are ones that were lent.
 * Nothing is stored.
 */
export async function checkKeys(
  deps: Deps,
  connector: Connector,
  values: SecretValues,
  signal: AbortSignal,
): Promise<CheckedKeys> {
  const outcome = await checkUserKeys({
    spec: connector.spec,
    values,
    known: [...deps.connectors.values()].map(({ spec }) => spec),
    check: connector.validate,
    context: deps.userContextFor(connector, signal),
    isOurs: (value) => isLent(deps, value),
    onMistake: (error) =>
      deps.logger.error(
        { connector: connector.spec.id, ...describeError(error) },
        "a key check failed unexpectedly",
      ),
  });
  return { values: outcome.values, check: outcome.result, repairs: outcome.repairs };
}

/** Ends the work of a request that was given up: nobody would learn that something was saved. */
export function stopWhenGivenUp(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new BrokerError(
    "unavailable",
    "the request was cancelled before the check ended, so nothing was saved",
    {
      remedy: "Send it again.",
    },
  );
}

/** Whether a value was ever lent to a build or put by the org. */
export async function isLent(deps: Pick<Deps, "store" | "fingerprint">, value: Secret): Promise<boolean> {
  return (await deps.store.read.fingerprints.findAny([deps.fingerprint.ofValue(value)])).length > 0;
}

/** New random values for the variables that nobody types. */
export function generateOwn(deps: Pick<Deps, "randomBytes">, connector: Connector): SecretValues {
  return Object.fromEntries(
    connector.spec.env.flatMap(({ name, own }) =>
      own?.kind === "generated"
        ? [[name, Secret.of(Buffer.from(deps.randomBytes(own.bytes)).toString("hex"))]]
        : [],
    ),
  );
}
