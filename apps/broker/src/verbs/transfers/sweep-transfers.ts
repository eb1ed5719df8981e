import type { TransferRow } from "@keyloan/store";
import { bySystem, type Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { forEach } from "../../each.ts";
import { beginWaiting, hasJob, transferJob } from "./transfer-jobs.ts";

const sweepMax = 200;

/**
 * Gives a job to every transfer that has something left to be done and lost its job: whatever happened, no source
 * stays without writes, and no transfer waits for ever.
 */
export async function sweepTransfers(deps: Deps): Promise<void> {
  await forEach(await deps.store.read.transfers.listUnended(sweepMax), ({ id, buildId }) =>
    deps.change(bySystem("transfers"), [buildId], async (tx) => {
      const newest = await tx.transfers.find(id);
      if (newest !== undefined && !(await hasJob(tx, id))) await giveJob(deps, tx, newest);
    }),
  );
}

async function giveJob({ now }: Deps, tx: Unit, row: TransferRow): Promise<void> {
  switch (row.state) {
    case "waiting":
      return beginWaiting(tx, row.buildId, now());
    case "copying":
      tx.job(transferJob("transfer", row), now());
      return;
    case "copied":
      tx.job(transferJob("end-transfer", row), row.progress?.switchBy ?? now());
      return;
    case "cancelled":
    case "failed":
      tx.job(transferJob("end-transfer", row), now());
      return;
    case "switched":
      return;
  }
}
