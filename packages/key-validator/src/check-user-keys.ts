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
  /** Repaired, complete with defaults, without blanks; what was checked and may be saved. */
  readonly values: SecretValues;
  readonly repairs: readonly Repair[];
  readonly result: ValidationResult;
};

/** The variables a user gives, or may change: the others are made, or only lent. */
export function typedVariables(spec: Pick<ConnectorSpec, "env">): readonly EnvVarSpec[] {
  return spec.env
    .filter(({ own }) => own === undefined || own.kind === "typed" || own.kind === "default")
    .map((variable) => (variable.own?.kind === "default" ? { ...variable, optional: true } : variable));
}

/**
 * All that is asked of keys a user gives for one connector: fix what surely was a slip, then the form, then
 * whether the keys are ones we lent, then the provider, under a deadline. Three answers and no fourth: a
 * provider that cannot be asked, an address that is refused, and a mistake in a connector are `undetermined`.
 * @param check the connector's own check; absent when there is no service to ask
 * @param known all providers, so that a key of another one is called so
 * @param context its `fetch` should be a guarded one: these values name addresses
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

/** A whole `.env` holds lent and made values too; a user's account has no use for them. */
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
