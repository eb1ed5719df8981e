import { readAddress, typedVariables } from "@keyloan/key-validator";
import { type Gate, type GateConnector, type GateFinding, type GateInput, ownConnectors } from "./gate.ts";

/** What the app connects to is reached from where it will run, and over an encrypted connection. */
export const publicAddress: Gate = {
  name: "public_address",
  passed: "Every address is public and encrypted.",
  ask: (input) => ownConnectors(input).flatMap((connector) => findInnerAddresses(connector, input)),
};

function findInnerAddresses(
  { spec, values }: GateConnector,
  { allowPrivateAddresses }: Pick<GateInput, "allowPrivateAddresses">,
): readonly GateFinding[] {
  return typedVariables(spec).flatMap(({ name, label, role }): readonly GateFinding[] => {
    const value = values[name];
    if (role !== "address" || value === undefined) return [];
    const read = readAddress(value, { allowPrivate: allowPrivateAddresses });
    if (read.ok) return [];
    const message = `${spec.label}, “${label}”: ${read.message}`;
    return [{ status: "fail", connector: spec.id, variable: name, message, remedy: read.remedy }];
  });
}
