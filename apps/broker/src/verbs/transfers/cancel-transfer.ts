import { type Actor, BrokerError, type TransferList } from "@keyloan/contract";
import type { ClaimedJob, Tables, TransferRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
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
  deps: Deps,
  actor: Actor,
  buildId: string,
  connectors: readonly string[] | undefined,
  requestId: string,
): Promise<TransferList> {
  await findBuild(deps, buildId);
  const jobs = await deps.store.write(async (tables) => {
    await requirePerson(deps, tables, actor);
    await refuseUnlessAllowed(tables, actor, buildId, "transfer");
    const rows = (await tables.transfers.listByBuild(buildId)).filter(
      (row) => isCancellable(row) && (connectors?.includes(row.connectorId) ?? true),
    );
    if (rows.length === 0) throw nothingToCancel();
    return cancelRows(deps, tables, rows, actor, requestId);
  });
  void deps.runner.run(buildId, jobs);
  return listTransfers(deps, buildId);
}

/**
 * Cancels what of these can be, in the transaction of whatever is the reason.
 * @returns jobs that this process holds, and runs
 */
export async function cancelRows(
  deps: Deps,
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
      auditRow(deps, { actor, action: "transfer.cancelled", entity: row.buildId, details, requestId }),
    ]);
    const waiting = (await tables.jobs.listByEntity(row.id)).filter(({ state }) => state === "waiting");
    // Whoever is at it undoes it; with nobody at it, this process does.
    if (waiting.some(({ lockedBy }) => lockedBy !== null)) continue;
    for (const { kind } of waiting) await tables.jobs.cancelByEntity(row.id, kind);
    undoing.push(heldTransferJob(deps, "end-transfer", row));
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
