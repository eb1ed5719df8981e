import type { EnvVarSpec } from "@keyloan/contract";
import { explainMissing, findMissing, typedVariables } from "@keyloan/key-validator";
import type { Gate, GateConnector, GateFinding } from "./gate.ts";

/** Every variable that the app needs has a value, whoever gives it. */
export const requiredVariables: Gate = {
  name: "required_variables",
  passed: "Every variable your app needs has a value.",
  ask: ({ connectors }) => connectors.flatMap(findGaps),
};

function findGaps({ spec, source, values }: GateConnector): readonly GateFinding[] {
  const typed = new Set(typedVariables(spec).map(({ name }) => name));
  const made = spec.env.filter(({ own }) => own?.kind === "generated");
  const needed = source === "org" ? spec.env : [...typedVariables(spec), ...made];
  return findMissing(needed, values).map((variable: EnvVarSpec) => ({
    status: "fail",
    connector: spec.id,
    variable: variable.name,
    message: `${spec.label}: “${variable.label}” is missing.`,
    remedy:
      source === "user" && typed.has(variable.name)
        ? explainMissing(variable).remedy
        : source === "user"
          ? `We make it for you: save your keys for ${spec.label} once more.`
          : "It is lent to you: reload the page in a minute; if it is still missing, tell the person who sent you the link.",
  }));
}
