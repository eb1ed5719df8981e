import type { ConnectorSpec } from "@keyloan/contract";

/** The page at the provider where a connector's org key is made and deleted. */
export function helpLinkOf(spec: ConnectorSpec | undefined): string | undefined {
  const linked = spec?.orgFields.filter(({ helpUrl }) => helpUrl !== undefined) ?? [];
  return (linked.find(({ secret }) => secret) ?? linked[0])?.helpUrl;
}
