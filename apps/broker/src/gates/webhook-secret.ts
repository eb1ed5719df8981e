import { hasValue, typedVariables } from "@keyloan/key-validator";
import { type Gate, type GateConnector, type GateFinding, modeOf, ownConnectors } from "./gate.ts";

/** An app that takes real money must be able to tell the provider's messages from anybody else's. */
export const webhookSecret: Gate = {
  name: "webhook_secret",
  passed: "Your app can tell which payment messages are genuine.",
  ask: (input) => ownConnectors(input).flatMap(findUnprovenMessages),
};

function findUnprovenMessages(connector: GateConnector): readonly GateFinding[] {
  const { spec, values } = connector;
  if (spec.category !== "payments") return [];
  const isLive = modeOf(connector) === "live";
  return typedVariables(spec)
    .filter(({ name, role }) => role === "webhook_secret" && !hasValue(values, name))
    .map(({ name, label, helpUrl }) => ({
      status: isLive ? "fail" : "warn",
      connector: spec.id,
      variable: name,
      message: isLive
        ? `${spec.label}: “${label}” is missing, so your app could not tell a real payment from a fake one.`
        : `${spec.label}: “${label}” is missing. That is fine for tests; with live keys it is required.`,
      remedy: `Make a webhook at ${spec.label} that calls your app, and copy its signing secret.${helpUrl === undefined ? "" : ` ${helpUrl}`}`,
    }));
}
