import type { JobRow, LeaseRow } from "@keyloan/store";
import { bySystem, type Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";

/**
 * Tries anew what waits at a connector for a person: what was lacking, a key that works, is there now. Leases
 * to issue are planned anew, and what was to be ended is ended.
 */
export async function retryFailedLeases(deps: Deps, connectorId: string): Promise<void> {
  for (const lease of await deps.store.read.leases.listByState(connectorId, ["failed", "requires_action"])) {
    await deps.change(bySystem("org-key"), [lease.buildId], async (tx) => {
      const jobs = await tx.jobs.listByEntity(lease.id);
      const release = jobs.find(({ kind, state }) => kind === "release" && state === "requires_action");
      if (release === undefined) return issueAnew(deps, tx, lease, jobs);
      await tx.jobs.hasten(release.id, deps.now());
    });
  }
}

async function issueAnew(deps: Deps, tx: Unit, lease: LeaseRow, jobs: readonly JobRow[]): Promise<void> {
  const { id: entityId, buildId, connectorId } = lease;
  if (!(await tx.leases.update(lease.id, [lease.state], { state: "planned" }))) return;
  const now = deps.now();
  const known = jobs.find(({ kind, state }) => kind === "issue" && state !== "done" && state !== "cancelled");
  const restarted = known !== undefined && (await tx.jobs.restart(known.id, [known.state], now));
  if (!restarted) tx.job({ kind: "issue", entityId, buildId, connectorId }, now);
  tx.audit("lease.retried", buildId, { connector: connectorId });
}
