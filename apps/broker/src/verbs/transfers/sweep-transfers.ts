import type { Tables, TransferRow } from "@keyloan/store";
import type { Services } from "../../services.ts";
import { beginWaiting, hasJob, transferJob } from "./transfer-jobs.ts";

const sweepMax = 200;

/**
 * Gives a job to every transfer that has something left to be done and lost its job: whatever happened, no source
 * stays without writes, and no transfer waits for ever.
 */
export async function sweepTransfers(services: Services): Promise<void> {
  for (const row of await services.store.read.transfers.listUnended(sweepMax)) {
    await services.store.write(async (tables) => {
      const newest = await tables.transfers.find(row.id);
      if (newest === undefined || (await hasJob(tables, row.id))) return;
      await giveJob(services, tables, newest);
    });
  }
}

async function giveJob(services: Services, tables: Tables, row: TransferRow): Promise<void> {
  switch (row.state) {
    case "waiting":
      await beginWaiting(services, tables, row.buildId);
      return;
    case "copying":
      return tables.jobs.insertAll([transferJob(services, "transfer", row)]);
    case "copied":
      return tables.jobs.insertAll([transferJob(services, "end-transfer", row, row.progress?.switchBy)]);
    case "cancelled":
    case "failed":
      return tables.jobs.insertAll([transferJob(services, "end-transfer", row)]);
    case "switched":
      return;
  }
}
