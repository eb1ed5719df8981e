import { newWaitingJob } from "../../jobs/new-job.ts";
import type { Services } from "../../services.ts";
import { auditRow } from "../audit.ts";

/** Plans the connector's failed leases anew: what they lacked, a key that works, is there now. */
export async function retryFailedLeases(services: Services, connectorId: string): Promise<void> {
  const actor = { kind: "system", part: "org-key" } as const;
  await services.store.write(async (tables) => {
    for (const lease of await tables.leases.listByState(connectorId, ["failed", "needs_hands"])) {
      if (!(await tables.leases.update(lease.id, [lease.state], { state: "planned" }))) continue;
      const { id: entityId, buildId } = lease;
      const job = { kind: "issue", entityId, buildId, connectorId } as const;
      await tables.jobs.insertAll([newWaitingJob(services, job, services.now())]);
      await tables.auditEvents.insertAll([
        auditRow(services, {
          actor,
          action: "lease.retried",
          entity: lease.buildId,
          details: { connector: connectorId },
        }),
      ]);
    }
  });
}
