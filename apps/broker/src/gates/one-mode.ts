import { type Gate, type GateConnector, type GateFinding, modeOf } from "./gate.ts";

/** All services in test mode, or all live: real sign-ups beside pretended payments lose real money. */
export const oneMode: Gate = {
  name: "one_mode",
  passed: "Your services do not mix test and live keys.",
  ask: ({ connectors }) => {
    const live = connectors.filter((connector) => modeOf(connector) === "live");
    const test = connectors.filter((connector) => modeOf(connector) === "test");
    if (test.length === 0) return [];
    return live.length === 0 ? [warnOfTest(test)] : test.map((connector) => refuseMixture(connector, live));
  },
};

function refuseMixture({ spec, source }: GateConnector, live: readonly GateConnector[]): GateFinding {
  const others = live.map((connector) => connector.spec.label).join(", ");
  const remedy =
    source === "user"
      ? `Use the live keys of ${spec.label}, or test keys everywhere.`
      : `Save your own live keys for ${spec.label} too, and swap them together.`;
  return {
    status: "fail",
    connector: spec.id,
    message: `${spec.label} would work with test keys while ${others} works with live ones.`,
    remedy,
  };
}

function warnOfTest(test: readonly GateConnector[]): GateFinding {
  const labels = test.map(({ spec }) => spec.label).join(", ");
  return {
    status: "warn",
    message: `${labels}: these are test keys. Your app will run, but nothing in it is real: cards are not charged, and test accounts are not for customers.`,
    remedy:
      "You can continue if you are still trying things out; use live keys before real people use your app.",
  };
}
