import { BrokerError, type TransferList } from "@keyloan/contract";
import type { TransferRow } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import { editableBuild, settingsChanged } from "../settings/editable-build.ts";
import { refuseOverwriteByToken, refuseUnlessAllowed } from "../settings/person-decides.ts";
import { candidatesOf } from "./candidates.ts";
import { listTransfers } from "./list-transfers.ts";
import { isOpen, newestOf } from "./movable.ts";
import { keepAliveForTransfer, lookAtTarget, recordStep } from "./start-transfer.ts";
import { beginWaiting } from "./transfer-jobs.ts";

type ResumeInput = {
  readonly connectors?: readonly string[] | undefined;
  readonly overwrite?: boolean | undefined;
};

/**
 * Goes on with transfers that failed or were cancelled: a database is copied anew, of files only what is missing.
 * @throws BrokerError as {@link startTransfer} does, and `conflict` when nothing can be gone on with
 */
export async function resumeTransfers(
  deps: Deps,
  by: By,
  buildId: string,
  input: ResumeInput,
  signal: AbortSignal,
): Promise<TransferList> {
  const editable = await editableBuild(deps, { buildId });
  await refuseUnlessAllowed(deps.store.read, by.actor, buildId, "transfer");
  const rows = await deps.store.read.transfers.listByBuild(buildId);
  const ended = [...newestOf(rows).values()].filter(
    (row) =>
      (row.state === "failed" || row.state === "cancelled") &&
      (input.connectors?.includes(row.connectorId) ?? true),
  );
  if (ended.length === 0) throw nothingToResume();
  if (ended.some(isOpen)) throw stillTidying();
  const ids = ended.map(({ connectorId }) => connectorId);
  const candidates = await candidatesOf(deps, editable, rows, ids);
  const resumed = candidates.flatMap((candidate) => {
    const row = ended.find(({ connectorId }) => connectorId === candidate.connector.spec.id);
    return row === undefined ? [] : [{ candidate, row: resumedRow(deps, row, candidate.key.id, input) }];
  });
  // Also when a session has said so before: that was for the one time.
  for (const { row } of resumed) refuseOverwriteByToken(by.actor, row.overwrite);
  await Promise.all(
    resumed.map(({ candidate, row }) => {
      const mayHoldSomething = row.overwrite || row.progress.target !== undefined;
      return lookAtTarget(deps, candidate, mayHoldSomething, signal);
    }),
  );
  await keepAliveForTransfer(deps, by, buildId);
  await deps.change(by, [buildId], async (tx) => {
    await recordStep(deps, tx, editable, candidates);
    for (const { row } of resumed) {
      const { id, connectorId, ...changes } = row;
      if (!(await tx.transfers.update(id, ["failed", "cancelled"], changes))) throw settingsChanged();
      const details = { connector: connectorId, transferId: id, overwrite: row.overwrite };
      tx.audit("transfer.resumed", buildId, details);
    }
    await beginWaiting(tx, buildId);
  });
  return listTransfers(deps, buildId);
}

function resumedRow(deps: Deps, row: TransferRow, userKeyId: string, { overwrite }: ResumeInput) {
  // A database that could not be emptied is asked about anew: by now something else may be in it.
  const ours = row.kind === "storage" && userKeyId === row.userKeyId ? row.progress?.target : undefined;
  return {
    id: row.id,
    connectorId: row.connectorId,
    state: "waiting" as const,
    userKeyId,
    overwrite: overwrite ?? row.overwrite,
    progress: {
      phase: "waiting" as const,
      at: deps.now(),
      ...(ours === undefined ? {} : { target: ours }),
    },
    receipt: null,
    endedAt: null,
    lastError: null,
  };
}

function nothingToResume(): BrokerError {
  return new BrokerError("conflict", "no transfer has stopped that could go on", {
    remedy: "Start one with `keyloan transfer start`, or on the settings page.",
  });
}

function stillTidying(): BrokerError {
  return new BrokerError("already_running", "what the last transfer began is still being undone", {
    remedy: "Try again in a moment.",
    retryAfterSeconds: 5,
  });
}
