import type { Tables, TransferRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { beginWaiting, hasJob, transferJob } from "./transfer-jobs.ts";

const sweepMax = 200;

/**
 * Gives a job to every transfer that has something left to be done and lost its job: whatever happened, no source
 * stays without writes, and no transfer waits for ever.
 */
export async function sweepTransfers(deps: Deps): Promise<void> {
  for (const row of await deps.store.read.transfers.listUnended(sweepMax)) {
    await deps.store.write(async (tables) => {
      const newest = await tables.transfers.find(row.id);
      if (newest === undefined || (await hasJob(tables, row.id))) return;
      await giveJob(deps, tables, newest);
    });
  }
}

async function giveJob(deps: Deps, tables: Tables, row: TransferRow): Promise<void> {
  switch (row.state) {
    case "waiting":
      await beginWaiting(deps, tables, row.buildId);
      return;
    case "copying":
      return tables.jobs.insertAll([transferJob(deps, "transfer", row)]);
    case "copied":
      return tables.jobs.insertAll([transferJob(deps, "end-transfer", row, row.progress?.switchBy)]);
    case "cancelled":
    case "failed":
      return tables.jobs.insertAll([transferJob(deps, "end-transfer", row)]);
    case "switched":
      return;
  }
}
