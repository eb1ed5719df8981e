import { type Actor, BrokerError, type TransferList } from "@keyloan/contract";
import type { ClaimedJob, Tables, TransferRow } from "@keyloan/store";
import type { Services } from "../../services.ts";
import { auditRow } from "../audit.ts";
import { findBuild } from "../builds/find-build.ts";
import { refuseUnlessAllowed } from "../settings/person-decides.ts";
import { requirePerson } from "../settings/take-step.ts";
import { listTransfers } from "./list-transfers.ts";
import { heldTransferJob } from "./transfer-jobs.ts";

/**
 * Ends transfers that are under way, or copied and not switched to: what they began is undone in the background,
 * the source first. What is under way notices within a second.
 * @throws BrokerError `not_found`; `person_decides` when a token may not; `conflict` when there is nothing to cancel
 */
export async function cancelTransfers(
  services: Services,
  actor: Actor,
  buildId: string,
  connectors: readonly string[] | undefined,
  requestId: string,
): Promise<TransferList> {
  await findBuild(services, buildId);
  const jobs = await services.store.write(async (tables) => {
    await requirePerson(services, tables, actor);
    await refuseUnlessAllowed(tables, actor, buildId, "transfer");
    const rows = (await tables.transfers.listByBuild(buildId)).filter(
      (row) => isCancellable(row) && (connectors?.includes(row.connectorId) ?? true),
    );
    if (rows.length === 0) throw nothingToCancel();
    return cancelRows(services, tables, rows, actor, requestId);
  });
  void services.runner.run(buildId, jobs);
  return listTransfers(services, buildId);
}

/**
 * Cancels what of these can be, in the transaction of whatever is the reason.
 * @returns jobs that this process holds, and runs
 */
export async function cancelRows(
  services: Services,
  tables: Tables,
  rows: readonly TransferRow[],
  actor: Actor,
  requestId: string | undefined,
): Promise<ClaimedJob[]> {
  const undoing: ClaimedJob[] = [];
  for (const row of rows.filter(isCancellable)) {
    // The copy that the receipt tells of is taken away again.
    const changes = { state: "cancelled", lastError: null, receipt: null } as const;
    await tables.transfers.update(row.id, [row.state], changes);
    const details = { connector: row.connectorId, transferId: row.id, was: row.state };
    await tables.auditEvents.insertAll([
      auditRow(services, { actor, action: "transfer.cancelled", entity: row.buildId, details, requestId }),
    ]);
    const waiting = (await tables.jobs.listByEntity(row.id)).filter(({ state }) => state === "waiting");
    // Whoever is at it undoes it; with nobody at it, this process does.
    if (waiting.some(({ lockedBy }) => lockedBy !== null)) continue;
    for (const { kind } of waiting) await tables.jobs.cancelByEntity(row.id, kind);
    undoing.push(heldTransferJob(services, "end-transfer", row));
  }
  await tables.jobs.insertAll(undoing);
  return undoing;
}

const isCancellable = ({ state }: TransferRow) => ["waiting", "copying", "copied"].includes(state);

function nothingToCancel(): BrokerError {
  return new BrokerError("conflict", "no data is being moved", {
    remedy: "After a switch, go back to the lent keys instead, within the time for that.",
  });
}
