import { BrokerError, type TransferList } from "@keyloan/contract";
import type { StoredProgress, TransferRow } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import { editableBuild, settingsChanged } from "../settings/editable-build.ts";
import { refuseOverwriteByToken, refuseUnlessAllowed } from "../settings/person-decides.ts";
import { candidatesOf } from "./candidates.ts";
import { listTransfers } from "./list-transfers.ts";
import { isOpen, newestOf } from "./movable.ts";
import { forgetWhenOverwriting, keepAliveForTransfer, lookAtTarget, recordStep } from "./start-transfer.ts";
import { beginWaiting } from "./transfer-jobs.ts";

type ResumeInput = {
  readonly connectors?: readonly string[] | undefined;
  readonly overwrite: boolean;
};

/**
 * Goes on with transfers that failed or were cancelled: a database is copied anew, of files only what is missing.
 * That what the target holds may go is said anew each time, or is not so.
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
  // Also when a session has said so before, and whatever a token says now: that was for the one time.
  for (const { overwrite } of ended) refuseOverwriteByToken(by.actor, overwrite || input.overwrite);
  const ids = ended.map(({ connectorId }) => connectorId);
  const candidates = await candidatesOf(deps, editable, rows, ids);
  const resumed = candidates.flatMap((candidate) => {
    const row = ended.find(({ connectorId }) => connectorId === candidate.connector.spec.id);
    return row === undefined ? [] : [{ candidate, row: resumedRow(deps, row, candidate.key.id, input) }];
  });
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
      await forgetWhenOverwriting(tx, row);
      if (!(await tx.transfers.update(id, ["failed", "cancelled"], changes))) throw settingsChanged();
      const details = { connector: connectorId, transferId: id, overwrite: row.overwrite };
      tx.audit("transfer.resumed", buildId, details);
    }
    await beginWaiting(tx, buildId);
  });
  return listTransfers(deps, by.actor, buildId);
}

function resumedRow(deps: Deps, row: TransferRow, userKeyId: string, { overwrite }: ResumeInput) {
  return {
    id: row.id,
    connectorId: row.connectorId,
    state: "waiting" as const,
    userKeyId,
    overwrite,
    askedAt: deps.now(),
    progress: {
      phase: "waiting" as const,
      at: deps.now(),
      ...(userKeyId === row.userKeyId ? stillOurs(row, overwrite) : {}),
    },
    receipt: null,
    endedAt: null,
    lastError: null,
  };
}

/**
 * What is still there of ours is taken back first, or gone on with; whatever else is there is asked about anew. A
 * database of which the user says that all of it may go is emptied instead.
 */
function stillOurs(
  { kind, progress }: TransferRow,
  overwrite: boolean,
): Pick<StoredProgress, "target" | "provenSha256"> {
  const { target, provenSha256 } = progress ?? {};
  if (target === undefined || (kind === "database" && overwrite)) return {};
  return { target, ...(provenSha256 === undefined ? {} : { provenSha256 }) };
}

function nothingToResume(): BrokerError {
  return new BrokerError("conflict", "there is no stopped transfer that can be resumed", {
    remedy: "Start one with `keyloan transfer start`, or on the settings page.",
  });
}

function stillTidying(): BrokerError {
  return new BrokerError("already_running", "the changes of the last transfer are still being undone", {
    remedy: "Try again in a moment.",
    retryAfterSeconds: 5,
  });
}
