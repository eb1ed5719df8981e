import type { ArchiveRow, LeaseRow, StoredLeaseError } from "@keyloan/store";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { dropScratch } from "./scratch-database.ts";

/** After this time no create call that was given up can still be under way at a provider. */
const lateCreateMs = 120_000;

/** Takes away what an attempt to archive has made: its scratch database and its file. */
export async function clearAttempt(
  deps: Deps,
  lease: LeaseRow,
  archive: ArchiveRow,
  signal: AbortSignal,
): Promise<void> {
  await dropScratch(deps, lease, archive, signal);
  await deps.archives.remove(archive.location, signal);
}

/** Records that an attempt failed and was cleared, in the caller's transaction. */
export async function recordCleared(
  deps: Deps,
  tx: Unit,
  archive: ArchiveRow,
  error: Pick<StoredLeaseError, "message">,
): Promise<void> {
  const failed = { state: "failed", lastError: error.message } as const;
  if (!(await tx.archives.update(archive.id, ["writing"], failed))) return;
  const { id: entityId, buildId, connectorId } = archive;
  // A create call that was given up may still be carried out at the provider.
  tx.job({ kind: "remove-archive", entityId, buildId, connectorId }, deps.now() + lateCreateMs);
}
