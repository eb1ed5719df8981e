import { type EnvFormat, envFormats, findVariable } from "@keyloan/contract";
import { formatsFor, refusalOf } from "@keyloan/env-generator";
import { type Gate, type GateConnector, type GateFinding, ownConnectors } from "./gate.ts";

/** The format of the file that the page offers first. */
const usualFormat: EnvFormat = "dotenv";

/**
 * Every value of the user's own can be written into the file that is downloaded after the switch. What only
 * another format refuses is told as a warning, since nobody may ever ask for that one.
 */
export const envFiles: Gate = {
  name: "env_files",
  passed: "Every value can be written to an env file.",
  ask: (input) => ownConnectors(input).flatMap(findUnwritable),
};

function findUnwritable(connector: GateConnector): readonly GateFinding[] {
  return Object.keys(connector.values).flatMap((name) => {
    const found = envFormats.flatMap((format) => findRefusal(connector, name, format));
    const stops = found.filter(({ status }) => status === "fail");
    return stops.length > 0 ? stops : found;
  });
}

function findRefusal(
  { spec, values }: GateConnector,
  name: string,
  format: EnvFormat,
): readonly GateFinding[] {
  const value = values[name];
  const refused = value === undefined ? undefined : refusalOf({ name, value }, format);
  if (value === undefined || refused === undefined) return [];
  const label = findVariable(spec.env, name)?.label ?? name;
  const place = { connector: spec.id, variable: name };
  const message = `${spec.label}: “${label}” cannot be written in the format ${format}: it ${refused.reason}`;
  const carriers = formatsFor({ name, value }).join(", ");
  if (format !== usualFormat) {
    const remedy = `You can continue if you do not need such a file. The value can be written in: ${carriers}.`;
    return [{ ...place, status: "warn", message, remedy }];
  }
  const remedy = `Make a new key, or choose a value of plain letters and digits. This one can be written in: ${carriers}.`;
  return [{ ...place, status: "fail", message, remedy }];
}
