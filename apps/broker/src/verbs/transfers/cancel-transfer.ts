import { BrokerError, type TransferList } from "@keyloan/contract";
import type { TransferRow } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { findBuild } from "../builds/find-build.ts";
import { refuseUnlessAllowed } from "../settings/person-decides.ts";
import { requirePerson } from "../settings/take-step.ts";
import { listTransfers } from "./list-transfers.ts";
import { transferJob } from "./transfer-jobs.ts";

/**
 * Ends transfers that are under way, or copied and not switched to: what they began is undone in the background,
 * the source first. What is under way notices within a second.
 * @throws BrokerError `not_found`; `person_decides` when a token may not; `conflict` when there is nothing to cancel
 */
export async function cancelTransfers(
  deps: Deps,
  by: By,
  buildId: string,
  connectors: readonly string[] | undefined,
): Promise<TransferList> {
  await findBuild(deps, buildId);
  await deps.change(by, [buildId], async (tx) => {
    await requirePerson(deps, tx);
    await refuseUnlessAllowed(tx, by.actor, buildId, "transfer");
    const rows = (await tx.transfers.listByBuild(buildId)).filter(
      (row) => isCancellable(row) && (connectors?.includes(row.connectorId) ?? true),
    );
    if (rows.length === 0) throw nothingToCancel();
    await cancelRows(tx, rows);
  });
  return listTransfers(deps, by.actor, buildId);
}

/** Cancels what of these can be, in the change of whatever is the reason, and undoes it afterwards. */
export async function cancelRows(tx: Unit, rows: readonly TransferRow[]): Promise<void> {
  for (const row of rows.filter(isCancellable)) {
    // The copy that the receipt tells of is taken away again.
    const changes = { state: "cancelled", lastError: null, receipt: null } as const;
    await tx.transfers.update(row.id, [row.state], changes);
    const details = { connector: row.connectorId, transferId: row.id, was: row.state };
    tx.audit("transfer.cancelled", row.buildId, details);
    const waiting = (await tx.jobs.listByEntity(row.id)).filter(({ state }) => state === "waiting");
    // Whoever is at it undoes it; with nobody at it, this process does.
    if (waiting.some(({ lockedBy }) => lockedBy !== null)) continue;
    for (const { kind } of waiting) await tx.jobs.cancelByEntity(row.id, kind);
    tx.job(transferJob("end-transfer", row));
  }
}

const isCancellable = ({ state }: TransferRow) => ["waiting", "copying", "copied"].includes(state);

function nothingToCancel(): BrokerError {
  return new BrokerError("conflict", "no data is being moved", {
    remedy: "After a switch, go back to the lent keys instead, within the time for that.",
  });
}
