import type { Connector } from "@keyloan/contract";
import { testConnectorLive } from "./kit/testing/index.ts";
import { connectors } from "./registry.ts";

// The promises of leases at the real providers. A connector's keys are given by field, for instance
// KEYLOAN_LIVE_STRIPE_SECRET_KEY for the field secretKey; without them its tests are reported as skipped.
for (const connector of connectors.filter(({ spec }) => spec.orgFields.length > 0)) {
  testConnectorLive({ connector }, givenFields(connector));
}

function givenFields({ spec }: Connector): Record<string, string> | undefined {
  const upper = (text: string) =>
    text
      .replaceAll("-", "_")
      .replaceAll(/(?=[A-Z])/g, "_")
      .toUpperCase();
  const fields: Record<string, string> = {};
  for (const { name, optional } of spec.orgFields) {
    const value = process.env[`KEYLOAN_LIVE_${upper(spec.id)}_${upper(name)}`];
    if (value !== undefined && value !== "") fields[name] = value;
    else if (optional !== true) return undefined;
  }
  return fields;
}
