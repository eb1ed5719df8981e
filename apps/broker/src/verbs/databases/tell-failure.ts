import type { ClaimedJob, LeaseRow, StoredLeaseError } from "@keyloan/store";
import type { Unit } from "../../change.ts";

const kinds = {
  archive: { action: "database.archive_failed", words: "could not be archived, so it stays as it is" },
  restore: { action: "database.restore_failed", words: "could not be restored; its archive is kept" },
} as const;

/** Tells that a database could not be archived or restored. */
export function tellFailure(
  tx: Unit,
  { id: jobId, kind }: ClaimedJob,
  { buildId, connectorId, id }: LeaseRow,
  { code, message, remedy }: StoredLeaseError,
): void {
  const { action, words } = kind === "restore" ? kinds.restore : kinds.archive;
  const details = { connector: connectorId, lease: id, code, message };
  tx.audit(action, buildId, details);
  const text = `A database of ${connectorId} ${words}: ${message}.`;
  tx.notice({ type: action, message: text, remedy, buildId, connectorId, jobId });
}
