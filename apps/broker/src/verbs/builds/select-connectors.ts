import { BrokerError, type Connector, type ConnectorRequest, sharedNames } from "@keyloan/contract";
import { type Deps, requireConnector } from "../../deps.ts";
import { invalidInput } from "../../invalid-input.ts";

export type SelectedConnector = { readonly connector: Connector; readonly options: unknown };

/**
 * The connectors a request asks for, with their options parsed; by default one of each category that the org can
 * lend, the preferred ones first.
 * @throws BrokerError `unknown_connector`, `org_key_missing` or `invalid_input`; nothing was made
 */
export async function selectConnectors(
  deps: Pick<Deps, "config" | "connectors" | "store" | "organizationId">,
  requests: readonly ConnectorRequest[] | undefined,
): Promise<SelectedConnector[]> {
  const active = await deps.store.read.orgKeys.listActive(deps.organizationId);
  const lendable = ({ spec }: Connector) =>
    spec.orgFields.length === 0 || active.some(({ connectorId }) => connectorId === spec.id);
  const asked =
    requests?.map((request) => (typeof request === "string" ? { id: request } : request)) ??
    onePerCategory([...deps.connectors.values()].filter(lendable), deps.config.preferredConnectors).map(
      ({ spec }) => ({ id: spec.id }),
    );
  const seen = new Set<string>();
  const selected = asked.map((request) => {
    const connector = requireConnector(deps, request.id);
    if (seen.has(request.id)) throw repeated(request.id);
    seen.add(request.id);
    if (!lendable(connector)) throw orgKeyMissing(request.id);
    const key = active.find(({ connectorId }) => connectorId === request.id);
    if (key?.check.status === "invalid") throw orgKeyBroken(request.id);
    return {
      connector,
      options: parseOptions(connector, "options" in request ? request.options : undefined),
    };
  });
  refuseSharedNames(selected.map(({ connector }) => connector));
  return selected;
}

function onePerCategory(lendable: readonly Connector[], preferred: readonly string[]): readonly Connector[] {
  const rank = ({ spec }: Connector) => {
    const index = preferred.indexOf(spec.id);
    return index === -1 ? preferred.length : index;
  };
  const ranked = lendable.toSorted((one, other) => rank(one) - rank(other));
  const firstOf = ({ spec }: Connector) => ranked.find((each) => each.spec.category === spec.category);
  return lendable.filter((connector) => firstOf(connector) === connector);
}

/** Every name in an env stands for one value: two connectors that both give it cannot serve one build. */
function refuseSharedNames(connectors: readonly Connector[]): void {
  for (const [index, { spec }] of connectors.entries()) {
    for (const { spec: other } of connectors.slice(index + 1)) {
      const names = sharedNames(spec.env, other.env);
      if (names.length === 0) continue;
      throw new BrokerError("invalid_input", `${spec.label} and ${other.label} both give ${names[0]}`, {
        remedy: `Name one of them in \`connectors\`: ${spec.id} or ${other.id}. An app that needs both needs two builds.`,
        details: { connectors: [spec.id, other.id], names },
      });
    }
  }
}

export function orgKeyMissing(connectorId: string): BrokerError {
  return new BrokerError("org_key_missing", `the org has no key for ${connectorId}`, {
    remedy: `The admin sets one with \`keyloan org-keys set ${connectorId}\`.`,
    details: { connector: connectorId },
  });
}

function orgKeyBroken(connectorId: string): BrokerError {
  return new BrokerError("org_key_missing", `the org's key for ${connectorId} no longer works`, {
    remedy: `The admin sets a new one with \`keyloan org-keys set ${connectorId}\`, or you leave the connector out.`,
    details: { connector: connectorId },
  });
}

function parseOptions(connector: Connector, options: unknown): unknown {
  if (connector.options === undefined) {
    if (options === undefined) return null;
    throw new BrokerError("invalid_input", `${connector.spec.id} takes no options`, {
      remedy: "Leave `options` out for this connector.",
    });
  }
  const parsed = connector.options.safeParse(options ?? {});
  if (!parsed.success) throw invalidInput(`options of ${connector.spec.id}`, parsed.error.issues);
  return parsed.data;
}

function repeated(connectorId: string): BrokerError {
  return new BrokerError("invalid_input", `the connector ${connectorId} is listed twice`, {
    remedy: "List every connector once.",
  });
}
