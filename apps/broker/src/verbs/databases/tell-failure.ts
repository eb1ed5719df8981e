import type { ClaimedJob, LeaseRow, StoredLeaseError, Tables } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { noticeJob } from "../../notify/notice.ts";
import { auditRow } from "../audit.ts";

const kinds = {
  archive: { action: "database.archive_failed", words: "could not be archived, so it stays as it is" },
  restore: { action: "database.restore_failed", words: "could not be restored; its archive is kept" },
} as const;

/** Tells that a database could not be archived or restored, in the transaction that records it. */
export async function tellFailure(
  deps: Pick<Deps, "now" | "randomBytes">,
  tables: Tables,
  { id: jobId, kind }: ClaimedJob,
  { buildId, connectorId, id }: LeaseRow,
  { code, message, remedy }: StoredLeaseError,
): Promise<void> {
  const { action, words } = kind === "restore" ? kinds.restore : kinds.archive;
  const details = { connector: connectorId, lease: id, code, message };
  const actor = { kind: "job", jobId } as const;
  await tables.auditEvents.insertAll([auditRow(deps, { actor, action, entity: buildId, details })]);
  const text = `A database of ${connectorId} ${words}: ${message}.`;
  const notice = { type: action, message: text, remedy, buildId, connectorId, jobId } as const;
  await tables.jobs.insertAll([noticeJob(deps, notice)]);
}
