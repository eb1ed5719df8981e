import { countRows, type ProvenArchive } from "@keyloan/database-provisioner";
import type { ArchiveRow, LeaseRow } from "@keyloan/store";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { isKeptForUser } from "../lending/is-kept-for-user.ts";
import { movedOn } from "./moved-on.ts";
import { isBeingMoved } from "./request-archive.ts";

/**
 * Records that an archive may be relied on, shreds the values of its lease, and begins to end the database.
 * @throws MovedOn, with nothing written, when the lease or the job is not as it was
 */
export async function recordVerified(
  deps: Deps,
  tx: Unit,
  lease: LeaseRow,
  archive: ArchiveRow,
  { bytes, sha256, summary }: ProvenArchive,
): Promise<void> {
  const { buildId, connectorId } = lease;
  if (await isBeingMoved(tx, lease)) throw movedOn();
  if (await isKeptForUser(deps, tx, lease)) throw movedOn();
  const verifiedAt = deps.now();
  const verified = { state: "verified", bytes, sha256, summary, verifiedAt, lastError: null } as const;
  const archived = { state: "archived", env: null, lastError: null } as const;
  if (!(await tx.archives.update(archive.id, ["writing"], verified))) throw movedOn();
  if (!(await tx.leases.update(lease.id, ["active"], archived))) throw movedOn();
  tx.job({ kind: "drop-archived", entityId: archive.id, buildId, connectorId });
  const details = { connector: connectorId, lease: lease.id, archive: archive.id, bytes };
  tx.audit("database.archived", buildId, { ...details, rows: countRows(summary), sha256 });
}
