import { type Gate, type GateConnector, type GateFinding, ownConnectors } from "./gate.ts";

/** The provider itself has said that the user's keys work; not knowing is not enough to go live. */
export const keysChecked: Gate = {
  name: "keys_checked",
  passed: "Every service has confirmed your keys.",
  ask: (input) => ownConnectors(input).flatMap(findDoubt),
};

function findDoubt({ spec, check }: GateConnector): readonly GateFinding[] {
  if (check?.status === "valid") return [];
  const place = { status: "fail", connector: spec.id } as const;
  if (check === undefined) {
    return [
      {
        ...place,
        message: `Your keys for ${spec.label} have not been checked yet.`,
        remedy: "Open the card and press Check.",
      },
    ];
  }
  if (check.status === "invalid") {
    return [
      { ...place, variable: check.envVar, message: `${spec.label}: ${check.message}`, remedy: check.remedy },
    ];
  }
  const remedy =
    check.code === "blocked_address"
      ? "Fix the address on the card, then check again."
      : "Open the card and press Check again in a few minutes.";
  return [
    { ...place, message: `Your keys for ${spec.label} could not be checked. ${check.message}`, remedy },
  ];
}
