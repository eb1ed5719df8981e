import type { Connector, ConnectorContext, SecretValues, ValidationResult } from "@keyloan/contract";
import { validateKeys } from "@keyloan/key-validator";
import type { StoredCheck } from "@keyloan/store";

export type AskDeps = {
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly contextFor: (connector: Connector, signal: AbortSignal) => ConnectorContext;
};

/**
 * Asks the provider whether the fields of an org key work; a key of another provider is reported as such. The result
 * is `undetermined` if the provider cannot be asked.
 */
export function askAboutKey(
  deps: AskDeps,
  connector: Connector,
  values: SecretValues,
  signal: AbortSignal,
): Promise<ValidationResult> {
  return validateKeys({
    fields: connector.spec.orgFields,
    values,
    known: [...deps.connectors.values()].map(({ spec }) => spec),
    check: connector.validateOrgKey,
    context: deps.contextFor(connector, signal),
  });
}

/** The part of a validator's answer that is stored. */
export function toStoredCheck(answer: ValidationResult): StoredCheck {
  if (answer.status !== "valid") {
    return { status: answer.status, message: answer.message, capabilities: [], warnings: [] };
  }
  return {
    status: "valid",
    capabilities: answer.capabilities,
    warnings: answer.warnings,
    ...(answer.account === undefined ? {} : { account: answer.account }),
    ...(answer.mode === undefined ? {} : { mode: answer.mode }),
  };
}
