import { type Gate, type GateConnector, type GateFinding, keyModes, ownConnectors } from "./gate.ts";

/** Keys of one service belong together: one account, and all test or all live. */
export const matchingPairs: Gate = {
  name: "matching_pairs",
  passed: "The keys of each service belong together.",
  ask: (input) =>
    ownConnectors(input).flatMap((connector) => findMixture(connector) ?? findOtherPair(connector)),
};

function findMixture(connector: GateConnector): readonly GateFinding[] | undefined {
  const { spec, check } = connector;
  const modes = [...keyModes(connector)];
  const [live] = modes.find(([, mode]) => mode === "live") ?? [];
  const [test] = modes.find(([, mode]) => mode === "test") ?? [];
  if (live !== undefined && test !== undefined) {
    return [
      {
        status: "fail",
        connector: spec.id,
        message: `${spec.label}: “${live}” is a live key and “${test}” is a test key.`,
        remedy: "Take both from the same mode: live keys for an app that real people use.",
      },
    ];
  }
  const checked = check?.status === "valid" ? check.mode : undefined;
  const [, said] = modes[0] ?? [];
  if (checked === undefined || said === undefined || checked === said) return undefined;
  return [
    {
      status: "fail",
      connector: spec.id,
      message: `${spec.label}: these are ${said} keys, but the account answered in ${checked} mode.`,
      remedy: "Open the card and check the keys again.",
    },
  ];
}

/** What the provider said of the pair when it was asked. */
function findOtherPair({ spec, check }: GateConnector): readonly GateFinding[] {
  if (check?.status !== "invalid" || (check.code !== "wrong_pair" && check.code !== "wrong_mode")) return [];
  const { envVar, message, remedy } = check;
  return [
    { status: "fail", connector: spec.id, variable: envVar, message: `${spec.label}: ${message}`, remedy },
  ];
}
