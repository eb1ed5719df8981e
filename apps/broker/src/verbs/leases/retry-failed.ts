import type { JobRow, LeaseRow, Tables } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { newWaitingJob } from "../../jobs/new-job.ts";
import { auditRow } from "../audit.ts";

/**
 * Tries anew what waits at a connector for a person: what was lacking, a key that works, is there now. Leases
 * to issue are planned anew, and what was to be ended is ended.
 */
export async function retryFailedLeases(deps: Deps, connectorId: string): Promise<void> {
  await deps.store.write(async (tables) => {
    for (const lease of await tables.leases.listByState(connectorId, ["failed", "needs_hands"])) {
      const jobs = await tables.jobs.listByEntity(lease.id);
      const release = jobs.find(({ kind, state }) => kind === "release" && state === "needs_hands");
      if (release === undefined) await issueAnew(deps, tables, lease, jobs);
      else await tables.jobs.hasten(release.id, deps.now());
    }
  });
}

async function issueAnew(
  deps: Deps,
  tables: Tables,
  lease: LeaseRow,
  jobs: readonly JobRow[],
): Promise<void> {
  const { id: entityId, buildId, connectorId } = lease;
  if (!(await tables.leases.update(lease.id, [lease.state], { state: "planned" }))) return;
  const now = deps.now();
  const known = jobs.find(({ kind, state }) => kind === "issue" && state !== "done" && state !== "cancelled");
  const restarted = known !== undefined && (await tables.jobs.restart(known.id, [known.state], now));
  if (!restarted) {
    const job = { kind: "issue", entityId, buildId, connectorId } as const;
    await tables.jobs.insertAll([newWaitingJob(deps, job, now)]);
  }
  const actor = { kind: "system", part: "org-key" } as const;
  const details = { connector: connectorId };
  await tables.auditEvents.insertAll([
    auditRow(deps, { actor, action: "lease.retried", entity: buildId, details }),
  ]);
}
