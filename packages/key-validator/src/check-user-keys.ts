import {
  type ConnectorContext,
  type ConnectorSpec,
  type EnvVarSpec,
  findVariable,
  type Repair,
  Secret,
  type SecretValues,
  type ValidationResult,
} from "@keyloan/contract";
import { askProvider, type ProviderCheck } from "./ask-provider.ts";
import { checkUserShape, type KnownSpecs } from "./input/check-user-shape.ts";
import { repairInput } from "./input/repair-input.ts";
import { findOurs, type IsOurs, refuseOurs } from "./not-ours.ts";
import { validationTimeoutMsDefault } from "./validate-keys.ts";

export type CheckedUserKeys = {
  /** The values that were checked and may be saved: repaired, completed with defaults, without blank ones. */
  readonly values: SecretValues;
  readonly repairs: readonly Repair[];
  readonly result: ValidationResult;
};

/** The variables that a user enters or may change: the others are generated, or only lent. */
export function typedVariables(spec: Pick<ConnectorSpec, "env">): readonly EnvVarSpec[] {
  return spec.env
    .filter(({ own }) => own === undefined || own.kind === "typed" || own.kind === "default")
    .map((variable) => (variable.own?.kind === "default" ? { ...variable, optional: true } : variable));
}

/**
 * All checks of the keys that a user enters for one connector: repairs certain slips, then checks the form, then
 * whether the keys are ours, then asks the provider, with a deadline. There are only three answers: if the provider
 * cannot be reached, an address is refused, or the connector has a mistake, the answer is `undetermined`.
 * @param check the connector's own check; `undefined` if there is no service to ask
 * @param known all providers, to name the provider of a key that belongs to another one
 * @param context its `fetch` should be a guarded one, because these values contain addresses
 * @param onMistake gets what a connector threw against its contract
 * @throws what `isOurs` throws
 */
export async function checkUserKeys(options: {
  readonly spec: Pick<ConnectorSpec, "env" | "label">;
  readonly values: SecretValues;
  readonly known?: KnownSpecs;
  readonly check: ProviderCheck | undefined;
  readonly context: ConnectorContext;
  readonly isOurs: IsOurs;
  readonly timeoutMs?: number;
  readonly onMistake?: (error: unknown) => void;
}): Promise<CheckedUserKeys> {
  const { spec, context, check, isOurs, timeoutMs = validationTimeoutMsDefault, onMistake } = options;
  const variables = typedVariables(spec);
  const { values: fixed, repairs } = repairInput(variables, onlyTyped(spec, variables, options.values));
  const values = withDefaults(variables, fixed);
  const fieldOf = (name: string) => findVariable(variables, name);
  const answer = async (): Promise<ValidationResult> => {
    const misshapen = checkUserShape(variables, values, options.known);
    if (misshapen !== undefined) return misshapen;
    const [ours] = await findOurs(fieldOf, values, isOurs);
    if (ours !== undefined) return refuseOurs(ours, fieldOf(ours));
    if (check === undefined || variables.length === 0)
      return { status: "valid", capabilities: [], warnings: [] };
    return askProvider({ label: spec.label, variables, values, check, context, timeoutMs, onMistake });
  };
  return { values, repairs, result: await answer() };
}

/** Removes values that users do not enter: a complete `.env` also contains lent and generated ones. */
function onlyTyped(
  spec: Pick<ConnectorSpec, "env">,
  variables: readonly EnvVarSpec[],
  values: SecretValues,
): SecretValues {
  const untyped = (name: string) =>
    findVariable(variables, name) === undefined && findVariable(spec.env, name) !== undefined;
  return Object.fromEntries(Object.entries(values).filter(([name]) => !untyped(name)));
}

function withDefaults(variables: readonly EnvVarSpec[], values: SecretValues): SecretValues {
  const missing = variables.flatMap(({ name, own }) =>
    own?.kind === "default" && values[name] === undefined ? [[name, Secret.of(own.value)] as const] : [],
  );
  return { ...values, ...Object.fromEntries(missing) };
}
