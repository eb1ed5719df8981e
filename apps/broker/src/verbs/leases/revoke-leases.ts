import { BrokerError, type RevokedLeases } from "@keyloan/contract";
import type { LeaseRow } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { refuseWhileKept } from "../settings/person-decides.ts";
import { endLeases } from "./end-leases.ts";
import { findLease } from "./list-leases.ts";
import { markReadyWhenComplete } from "./mark-ready.ts";
import type { ReleaseStart } from "./release-jobs.ts";

/** So many in one transaction: what else waits to be written waits a few milliseconds at most. */
const batchMax = 20;

/**
 * Revokes one lease: its values are removed at once, and its provider is asked to end it. The build lives on
 * without it. Revoking again changes nothing.
 * @returns a promise that ends when the provider was asked, or at once when it is asked later
 * @throws BrokerError `not_found`, `person_decides` while its user can go back to it or lets the preview use it
 */
export async function revokeLease(
  deps: Deps,
  by: By,
  leaseId: string,
): Promise<{ readonly settled: Promise<void> }> {
  const { buildId } = await findLease(deps, leaseId);
  await deps.change(by, [buildId], async (tx) => {
    const leases = await tx.endings.listByIds([leaseId]);
    for (const lease of leases) await refuseWhileKept(deps, tx, by.actor, lease);
    return revokeSome(deps, tx, leases, { mayStillRun: true });
  });
  return { settled: deps.runner.tried(leaseId) };
}

/**
 * Revokes every lease of a connector, or of the org, that has not begun to end. All values are removed when this
 * returns; the providers are asked afterwards, by all brokers, a few at a time. What is issued meanwhile or
 * later is not touched.
 * @throws BrokerError `invalid_input` without the right confirmation
 */
export async function revokeLeases(
  deps: Deps,
  by: By,
  which: { readonly connector: string } | { readonly all: true; readonly confirm: string },
): Promise<RevokedLeases> {
  if ("all" in which) await checkConfirmation(deps, which.confirm);
  const connectorId = "connector" in which ? which.connector : undefined;
  const ids = await deps.store.read.endings.listLiving(connectorId);
  await deps.change(by, [], async (tx) =>
    tx.audit("leases.revoking", connectorId ?? "all", {
      connector: connectorId ?? "all",
      leases: ids.length,
    }),
  );
  const revoked: LeaseRow[] = [];
  for (let start = 0; start < ids.length; start += batchMax) {
    const batch = ids.slice(start, start + batchMax);
    const how = { isOneOfMany: true, mayStillRun: true };
    const scope = (await deps.store.read.endings.listByIds(batch)).map(({ buildId }) => buildId);
    const ended = await deps.change(by, scope, async (tx) =>
      revokeSome(deps, tx, await tx.endings.listByIds(batch), how),
    );
    revoked.push(...ended);
  }
  return countOf(revoked);
}

async function revokeSome(
  deps: Deps,
  tx: Unit,
  leases: readonly LeaseRow[],
  how: ReleaseStart,
): Promise<readonly LeaseRow[]> {
  const ended = await endLeases(deps, tx, leases, how);
  for (const { id, buildId, connectorId } of ended)
    tx.audit("lease.revoked", buildId, { connector: connectorId, lease: id });
  // A build that waited for nothing else is ready now.
  const waited = ended.filter(({ issuedAt }) => issuedAt === null);
  for (const buildId of new Set(waited.map((lease) => lease.buildId)))
    await markReadyWhenComplete(tx, buildId);
  return ended.length === 0 ? tx.unaudited(ended) : ended;
}

async function checkConfirmation({ store, organizationId }: Deps, confirm: string): Promise<void> {
  const organization = await store.read.organizations.find(organizationId);
  if (confirm === "all" || confirm === organization?.name) return;
  throw new BrokerError("invalid_input", "to revoke everything, `confirm` must name the org", {
    remedy: `Send \`"confirm": "all"\` if every build is to lose what was lent to it.`,
  });
}

function countOf(leases: readonly LeaseRow[]): RevokedLeases {
  const connectors: Record<string, number> = {};
  for (const { connectorId } of leases) connectors[connectorId] = (connectors[connectorId] ?? 0) + 1;
  return { leases: leases.length, builds: new Set(leases.map(({ buildId }) => buildId)).size, connectors };
}
