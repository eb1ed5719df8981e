import type { JobRow, LeaseRow, Tables } from "@keyloan/store";
import { newWaitingJob } from "../../jobs/new-job.ts";
import type { Services } from "../../services.ts";
import { auditRow } from "../audit.ts";

/**
 * Tries anew what waits at a connector for a person: what was lacking, a key that works, is there now. Leases
 * to issue are planned anew, and what was to be ended is ended.
 */
export async function retryFailedLeases(services: Services, connectorId: string): Promise<void> {
  await services.store.write(async (tables) => {
    for (const lease of await tables.leases.listByState(connectorId, ["failed", "needs_hands"])) {
      const jobs = await tables.jobs.listByEntity(lease.id);
      const release = jobs.find(({ kind, state }) => kind === "release" && state === "needs_hands");
      if (release === undefined) await issueAnew(services, tables, lease, jobs);
      else await tables.jobs.hasten(release.id, services.now());
    }
  });
}

async function issueAnew(
  services: Services,
  tables: Tables,
  lease: LeaseRow,
  jobs: readonly JobRow[],
): Promise<void> {
  const { id: entityId, buildId, connectorId } = lease;
  if (!(await tables.leases.update(lease.id, [lease.state], { state: "planned" }))) return;
  const now = services.now();
  const known = jobs.find(({ kind, state }) => kind === "issue" && state !== "done" && state !== "cancelled");
  const restarted = known !== undefined && (await tables.jobs.restart(known.id, [known.state], now));
  if (!restarted) {
    const job = { kind: "issue", entityId, buildId, connectorId } as const;
    await tables.jobs.insertAll([newWaitingJob(services, job, now)]);
  }
  const actor = { kind: "system", part: "org-key" } as const;
  const details = { connector: connectorId };
  await tables.auditEvents.insertAll([
    auditRow(services, { actor, action: "lease.retried", entity: buildId, details }),
  ]);
}
