import {
  BrokerError,
  type Connector,
  type ConnectorReport,
  type Finding,
  type ListedResource,
  type OrgCredential,
  ProviderError,
} from "@keyloan/contract";
import type { By } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import { issuerOf } from "../../issuer-of.ts";
import { type Classified, classify } from "./classify.ts";
import { endLeftOver } from "./end-left-over.ts";
import { findMissing, type Missing } from "./find-missing.ts";
import { inTurns } from "./in-turns.ts";
import { clearFound, markMissing, missingFinding } from "./mark-missing.ts";
import { readList } from "./read-list.ts";

const classifyAtOnce = 8;
const endsAtOnce = 4;
const endsMax = 200;
const shownMax = 200;
/** From so many missing leases on, a half of all is more than chance. */
const suspiciousMin = 3;

export type ReconcileOptions = {
  readonly by: By;
  /** Nothing is ended, marked or told to anybody else. */
  readonly dryRun: boolean;
  /** The policy. */
  readonly endsLeftOver: boolean;
};

type LeftOver = {
  readonly resource: ListedResource;
  readonly of: Classified & { readonly kind: "left_over" };
};

/**
 * Compares what one provider lists with the rows. What belongs to leases that have ended is ended when that is
 * wanted; what no row knows is told and never touched; nothing else at the provider is named.
 */
export async function reconcileConnector(
  deps: Deps,
  connector: Connector,
  org: OrgCredential,
  options: ReconcileOptions,
  signal: AbortSignal,
): Promise<ConnectorReport> {
  const { id } = connector.spec;
  const { list } = issuerOf(deps, connector);
  if (list === undefined)
    throw new BrokerError("not_supported", `Keyloan cannot list the resources of ${id}`);
  const listedAt = deps.now();
  try {
    const listed = await readList(id, list, deps.contextFor(connector, signal), org);
    const kinds = await inTurns(listed, classifyAtOnce, (resource) => classify(deps, id, resource));
    const missing = await findMissing(deps, connector, org, listed, { listedAt, signal });
    const doubt = doubtOf(connector, missing);
    const may = doubt === undefined && !options.dryRun;
    const leftOver = listed.flatMap((resource, index): LeftOver[] => {
      const of = kinds[index];
      return of?.kind === "left_over" ? [{ resource, of }] : [];
    });
    const ended = await endAll(deps, connector, org, leftOver, options, may, signal);
    const unknown = listed.filter((_, index) => kinds[index]?.kind === "unknown").map(unknownFinding(id));
    const gone = missing.gone.map((lease) => missingFinding(lease, may));
    if (may) {
      for (const lease of missing.gone) await markMissing(deps, options.by, lease);
      for (const lease of missing.back) await clearFound(deps, options.by, lease);
    }
    return report(
      id,
      doubt === undefined ? "compared" : "stopped",
      listed.length,
      [...ended, ...unknown, ...gone],
      doubt,
    );
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return report(id, "failed", 0, [], {
      message: `The list could not be read, so nothing was compared: ${error.provider} ${error.message}.`,
      remedy: error.remedy,
    });
  }
}

/** Why a list cannot be believed; then nothing that it says is acted on. */
function doubtOf(
  { spec }: Connector,
  { gone, unlisted, expected }: Missing,
): { readonly message: string; readonly remedy: string } | undefined {
  if (unlisted > 0) {
    return {
      message: `${spec.label} does not list ${unlisted} that it reports as existing when asked by name: its list is incomplete.`,
      remedy:
        "Nothing was ended or marked. The broker compares again automatically; run `keyloan reconcile` later.",
    };
  }
  if (gone.length < suspiciousMin || gone.length * 2 <= expected) return undefined;
  return {
    message: `${gone.length} of ${expected} lent resources are gone at ${spec.label}: that is too many to be chance.`,
    remedy:
      "Nothing was ended or marked. Check whether the org key belongs to the right account and group, and whether somebody deleted the resources.",
  };
}

/** What is beyond the number that one run ends comes with the next. */
async function endAll(
  deps: Deps,
  connector: Connector,
  org: OrgCredential,
  leftOver: readonly LeftOver[],
  options: ReconcileOptions,
  may: boolean,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  let begun = 0;
  return inTurns(leftOver, endsAtOnce, async ({ resource, of }) => {
    begun += 1;
    const finding: Finding = {
      kind: "left_over",
      name: resource.name,
      ...(of.leaseId === undefined ? {} : { lease: of.leaseId }),
      build: of.target.buildId,
      action: "told",
      message: `Left over of ${of.what}.`,
    };
    if (!options.endsLeftOver)
      return { ...finding, remedy: "End it at the provider, or set the policy to `mend`." };
    if (!may) return { ...finding, remedy: "`keyloan reconcile` ends it." };
    if (begun > endsMax || signal.aborted) return { ...finding, remedy: "The next run ends it." };
    return endLeftOver(deps, connector, org, of.target, finding, options.by, signal);
  });
}

const unknownFinding =
  (connectorId: string) =>
  ({ name }: ListedResource): Finding => ({
    kind: "unknown",
    name,
    action: "told",
    message:
      "It is named like Keyloan's own, but Keyloan has no record of it: it may belong to another Keyloan on this account, or to a store that was restored.",
    remedy: `If it is not needed: \`keyloan reconcile --connector ${connectorId} --end-unknown ${name}\`.`,
  });

function report(
  connector: string,
  state: ConnectorReport["state"],
  listed: number,
  findings: readonly Finding[],
  doubt: { readonly message: string; readonly remedy: string } | undefined,
): ConnectorReport {
  return {
    connector,
    state,
    listed,
    ...doubt,
    findings: findings.slice(0, shownMax),
    unlisted: Math.max(0, findings.length - shownMax),
  };
}
