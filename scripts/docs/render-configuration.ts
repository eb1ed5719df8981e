import {
  type ConfigVariable,
  configVariables,
  describeProviderUrl,
} from "../../apps/broker/src/config-table.ts";
import type { Connector } from "../../packages/contract/src/index.ts";
import { code, markdownTable } from "./markdown-table.ts";

/** docs/configuration.md */
export function renderConfiguration(connectors: readonly Connector[]): string {
  const calling = connectors.filter(({ spec }) => spec.orgFields.length > 0);
  return `# Configuration of the broker

Everything is read from the environment at start. What is wrong is listed at once, by name and never by value, and
the broker ends with exit code 2. A variable that is set to nothing counts as unset.

Secrets may be given as the path of a file instead: \`KEYLOAN_ROOT_KEY_FILE\` for \`KEYLOAN_ROOT_KEY\`, for instance.
Giving both is refused.

${markdownTable(["Variable", "Purpose", "Required", "Default", "If unset"], Object.values(configVariables).map(row))}

## Addresses of providers

Each replaces the address of one provider's API. Leave them unset in production, unless calls have to pass a gateway
of your own: the org key is sent there.

${markdownTable(
  ["Variable", "Purpose", "If unset"],
  calling.map(({ spec }) => {
    const { name, purpose, ifUnset } = describeProviderUrl(spec.id);
    return [code(name), purpose, ifUnset];
  }),
)}
`;
}

function row(variable: ConfigVariable): readonly string[] {
  const { name, purpose, required, secret, ifUnset } = variable;
  const names = secret === true ? `${code(name)} or ${code(`${name}_FILE`)}` : code(name);
  return [names, purpose, required === true ? "yes" : "no", code(variable.default), ifUnset];
}
