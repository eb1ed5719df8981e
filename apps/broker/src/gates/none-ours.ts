import { findVariable } from "@keyloan/contract";
import { findOurs } from "@keyloan/key-validator";
import { type Gate, type GateConnector, type GateFinding, type GateInput, ownConnectors } from "./gate.ts";

/** No key that was lent, to this build or another, goes on living as a key of the user's own. */
export const noneOurs: Gate = {
  name: "none_ours",
  passed: "None of your keys was lent to you.",
  ask: async (input) => {
    const found = await Promise.all(ownConnectors(input).map((connector) => findLent(connector, input)));
    return found.flat();
  },
};

async function findLent(
  { spec, values }: GateConnector,
  { isOurs }: Pick<GateInput, "isOurs">,
): Promise<readonly GateFinding[]> {
  const fieldOf = (name: string) => findVariable(spec.env, name);
  return (await findOurs(fieldOf, values, isOurs)).map((name) => ({
    status: "fail",
    connector: spec.id,
    variable: name,
    message: `${spec.label}: “${fieldOf(name)?.label ?? name}” is the key we lent you; it ends when you leave.`,
    remedy: "Make a key in your own account, and save that one.",
  }));
}
