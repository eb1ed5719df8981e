import {
  BrokerError,
  type Finding,
  idPrefixes,
  type ListedResource,
  type PlannedLease,
} from "@keyloan/contract";
import { openActiveOrgKey } from "@keyloan/org-keys";
import type { By } from "../../audit-row.ts";
import { type Deps, requireConnector } from "../../deps.ts";
import { issuerOf } from "../../issuer-of.ts";
import { classify } from "./classify.ts";
import { endLeftOver } from "./end-left-over.ts";
import { readList } from "./read-list.ts";

const deadlineMs = 120_000;

/**
 * Ends one resource that is named as ours and that no row knows, because a person said so. It is looked for in the
 * provider's list at this moment: a name that is not listed, or that a row knows, is refused.
 * @throws BrokerError `unknown_connector`, `not_supported`, `org_key_missing`, `not_found`; ProviderError
 */
export async function endUnknown(
  deps: Deps,
  by: By,
  input: { readonly connector: string; readonly name: string },
): Promise<Finding> {
  const connector = requireConnector(deps, input.connector);
  const { list } = issuerOf(deps, connector);
  if (list === undefined)
    throw new BrokerError("not_supported", `Keyloan cannot list the resources of ${input.connector}`);
  const org = await openActiveOrgKey(deps, input.connector);
  if (org === undefined) {
    throw new BrokerError("org_key_missing", `the org has no key for ${input.connector}`, {
      remedy: `Set one with \`keyloan org-keys set ${input.connector}\`.`,
    });
  }
  const signal = AbortSignal.timeout(deadlineMs);
  const listed = await readList(input.connector, list, deps.contextFor(connector, signal), org);
  const resource = listed.find(({ name }) => name === input.name);
  const found = resource === undefined ? undefined : await classify(deps, input.connector, resource);
  if (resource === undefined || found === undefined) throw notListed(input);
  if (found.kind !== "unknown") throw isOurs(found.kind);
  const finding: Finding = {
    kind: "unknown",
    name: resource.name,
    action: "told",
    message: "It is named like Keyloan's own, but Keyloan has no record of it.",
  };
  return endLeftOver(deps, connector, org, targetOf(deps, resource), finding, by, signal);
}

/** All that the name of a resource tells of the lease it was made for. */
function targetOf(deps: Pick<Deps, "now">, { handle, suffix, buildSuffix }: ListedResource): PlannedLease {
  return {
    leaseId: suffix === undefined ? "" : `${idPrefixes.lease}_${suffix}`,
    buildId: buildSuffix === undefined ? "" : `${idPrefixes.build}_${buildSuffix}`,
    expiresAt: deps.now(),
    options: null,
    handle,
  };
}

function notListed({ connector, name }: { readonly connector: string; readonly name: string }): BrokerError {
  return new BrokerError("not_found", `${connector} lists no Keyloan resource with the name ${name}`, {
    remedy: `See the names with \`keyloan reconcile --dry-run --connector ${connector}\`.`,
  });
}

function isOurs(kind: "known" | "left_over"): BrokerError {
  return new BrokerError("conflict", "it belongs to a lease of this broker", {
    remedy:
      kind === "known"
        ? "Close its build, which ends it."
        : "`keyloan reconcile` ends what is left over of leases that have ended.",
  });
}
