import { checkProduction, copySets, EnvFormatError, toEnvLines } from "@keyloan/env-generator";
import type { Gate, GateFinding, GateInput } from "./gate.ts";

/** No secret stands under a name that ends in what browsers load, and no name stands for two values. */
export const browserNames: Gate = {
  name: "browser_names",
  passed: "No secret has a name that browsers can see.",
  ask: (input) => {
    const specs = input.connectors.map(({ spec }) => spec);
    try {
      const lines = toEnvLines(input.connectors, { profile: input.profile, copies: copySets(specs) });
      return checkProduction(lines, specs, { target: "production", testKeys: "warn" })
        .filter(({ code }) => code === "secret_exposed")
        .map(({ variable, message, remedy }) => finding(input, variable, `${variable} ${message}`, remedy));
    } catch (error) {
      if (!(error instanceof EnvFormatError)) throw error;
      // A gap is the matter of `required_variables`, which says it of each.
      if (error.code === "missing_value") return [];
      return [finding(input, error.variable, error.message, error.remedy)];
    }
  },
};

function finding({ connectors }: GateInput, variable: string, message: string, remedy: string): GateFinding {
  const owner = connectors.find(({ values }) => Object.hasOwn(values, variable));
  const connector = owner === undefined ? {} : { connector: owner.spec.id };
  return { status: "fail", ...connector, variable, message, remedy };
}
