import {
  type Connector,
  idSuffix,
  type ListedResource,
  type OrgCredential,
  ProviderError,
} from "@keyloan/contract";
import { reachOf } from "@keyloan/org-keys";
import type { LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { planned } from "../leases/planned-lease.ts";
import { hasOpenJob, settledMs } from "./classify.ts";
import { inTurns } from "./in-turns.ts";

const checksAtOnce = 4;
const checksMax = 500;

export type Missing = {
  /** Leases whose resource the provider was asked about by name, and does not have. */
  readonly gone: readonly LeaseRow[];
  /** How many are there after all: then the list is incomplete. */
  readonly unlisted: number;
  /** Leases that should have been listed. */
  readonly expected: number;
  /** Leases that were marked as missing before, and are listed. */
  readonly back: readonly LeaseRow[];
};

export const missingCode = "resource_missing";

/**
 * Active leases whose resource is not listed. Lists may lag, so each is asked about by its name; where a connector
 * cannot do that, a lease may own nothing that is listed, and nothing can be said.
 */
export async function findMissing(
  deps: Deps,
  connector: Connector,
  org: OrgCredential,
  listed: readonly ListedResource[],
  look: { readonly listedAt: number; readonly signal: AbortSignal },
): Promise<Missing> {
  const { database } = connector;
  if (database === undefined) return { gone: [], unlisted: 0, expected: 0, back: [] };
  const leases = await deps.store.read.leases.listByState(connector.spec.id, ["active"]);
  const reachable = await reachableVersions(deps, connector, org);
  const expected = leases.filter(
    ({ orgKeyVersion, issuedAt }) =>
      orgKeyVersion !== null && reachable.has(orgKeyVersion) && (issuedAt ?? 0) < look.listedAt - settledMs,
  );
  const suffixes = new Set(listed.map(({ suffix }) => suffix));
  const absent = expected.filter(({ id }) => !suffixes.has(idSuffix(id))).slice(0, checksMax);
  const context = deps.contextFor(connector, look.signal);
  const answers = await inTurns(absent, checksAtOnce, async (lease) => {
    // A lease that is being worked on is not judged.
    if (await hasOpenJob(deps, lease.id)) return "unsure";
    return database.locate(context, org, planned(lease)).then(() => "there" as const, unlessGone);
  });
  return {
    gone: absent.filter((_, index) => answers[index] === "gone"),
    unlisted: answers.filter((answer) => answer === "there").length,
    expected: expected.length,
    back: leases.filter(({ id, lastError }) => lastError?.code === missingCode && suffixes.has(idSuffix(id))),
  };
}

function unlessGone(error: unknown): "gone" | "unsure" {
  if (!(error instanceof ProviderError)) throw error;
  return error.code === "not_found" ? "gone" : "unsure";
}

/** Versions whose resources the key in use lists too. */
async function reachableVersions(
  deps: Deps,
  connector: Connector,
  org: OrgCredential,
): Promise<ReadonlySet<number>> {
  const rows = await deps.store.read.orgKeys.listVersions(deps.organizationId, connector.spec.id);
  const current = rows.find(({ version }) => version === org.version);
  const same = rows.filter((row) => current !== undefined && reachOf(row, current) === "same");
  return new Set(same.map(({ version }) => version));
}
