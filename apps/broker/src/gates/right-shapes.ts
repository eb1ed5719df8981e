import { findVariable } from "@keyloan/contract";
import { findMisshapen, typedVariables } from "@keyloan/key-validator";
import { type Gate, type GateConnector, type GateFinding, ownConnectors } from "./gate.ts";

/** Every value has the form its variable asks for, also when the form was changed after the value was saved. */
export const rightShapes: Gate = {
  name: "right_shapes",
  passed: "Every value has the right form.",
  ask: (input) => ownConnectors(input).flatMap(findMisfits),
};

function findMisfits({ spec, values }: GateConnector): readonly GateFinding[] {
  const variables = typedVariables(spec);
  const misfits = findMisshapen(variables, values).map(
    ({ envVar, message, remedy }): GateFinding => ({
      status: "fail",
      connector: spec.id,
      variable: envVar,
      message: `${spec.label}: ${message}`,
      remedy,
    }),
  );
  const strangers = Object.keys(values)
    .filter((name) => findVariable(spec.env, name) === undefined)
    .map(
      (name): GateFinding => ({
        status: "fail",
        connector: spec.id,
        variable: name,
        message: `${spec.label} has no variable with this name.`,
        remedy: `Save your keys for ${spec.label} once more.`,
      }),
    );
  return [...misfits, ...strangers];
}
