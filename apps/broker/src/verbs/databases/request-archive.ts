import { BrokerError } from "@keyloan/contract";
import type { LeaseRow, Tables } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import { buildClosed } from "../../build-closed.ts";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { refuseWhileKept } from "../settings/person-decides.ts";
import { findDatabase } from "./archivable.ts";

/** The longest archiving or restoring. */
export const movingDeadlineSeconds = 6 * 3600;

/**
 * Begins to archive a database of a build, and answers when it is begun.
 * @throws BrokerError `not_found`, `not_supported`, `build_closed`, `database_archived`, `not_ready`,
 * `already_running`, `person_decides` while its user can go back to it or lets the preview use it
 */
export async function requestArchive(
  deps: Deps,
  by: By,
  buildId: string,
  connectorId: string,
): Promise<void> {
  const { build, lease } = await findDatabase(deps, buildId, connectorId);
  // What was lent ends soon by itself, and nobody can go back to it.
  if (build.state === "handed_off") throw buildClosed(build.state);
  if (lease.state === "archived") throw databaseArchived(buildId, connectorId);
  await deps.change(by, [buildId], (tx) => planArchive(deps, tx, lease, "requested"));
}

/**
 * Adds the job that archives a lease's database. One that was asked for is started at once; an idle one waits until a
 * broker has room.
 * @throws BrokerError `not_ready`, `already_running`, `person_decides` when a token asks for one that is kept for its user
 */
export async function planArchive(
  deps: Deps,
  tx: Unit,
  { id: leaseId, buildId, connectorId }: LeaseRow,
  reason: "requested" | "idle",
): Promise<void> {
  const lease = await tx.leases.find(leaseId);
  if (lease?.state !== "active") {
    throw new BrokerError(
      "not_ready",
      `the database is ${lease?.state ?? "gone"}, so it cannot be archived`,
      {
        remedy: "See its state with `keyloan db list`.",
      },
    );
  }
  await refuseWhileKept(deps, tx, tx.by.actor, lease);
  await refuseWhileMoving(tx, lease);
  const job = { kind: "archive", entityId: leaseId, buildId, connectorId, payload: { reason } } as const;
  tx.job(job, reason === "idle" ? deps.now() : undefined);
  tx.audit("database.archiving", buildId, { connector: connectorId, lease: leaseId, reason });
}

/** @throws BrokerError `already_running` while the database is archived, or its data moves to its user */
async function refuseWhileMoving(tables: Tables, lease: LeaseRow): Promise<void> {
  if (await isBeingArchived(tables, lease.id)) throw alreadyArchiving();
  if (!(await isBeingMoved(tables, lease))) return;
  throw new BrokerError("already_running", "the data of this database is being moved to its user", {
    remedy: "Wait until that has ended.",
  });
}

/** Whether a job is about to archive the database of a lease. */
export async function isBeingArchived(tables: Pick<Tables, "endings">, leaseId: string): Promise<boolean> {
  return (await tables.endings.openJobsOf([leaseId])).some(({ kind }) => kind === "archive");
}

/** Whether its data is on its way to its user, or its writes are stopped for that. */
export async function isBeingMoved(
  tables: Pick<Tables, "transfers">,
  { id, buildId }: Pick<LeaseRow, "id" | "buildId">,
): Promise<boolean> {
  const transfers = await tables.transfers.listByBuild(buildId);
  return transfers.some(
    ({ leaseId, endedAt, frozenAt }) => leaseId === id && (endedAt === null || frozenAt !== null),
  );
}

export function alreadyArchiving(): BrokerError {
  return new BrokerError("already_running", "the database is being archived", {
    remedy: "Check the progress with `keyloan db list`.",
  });
}

/** The 409 for a database that is put away. */
export function databaseArchived(buildId: string, connectorId: string): BrokerError {
  return new BrokerError("database_archived", `the database of ${connectorId} was idle and is archived`, {
    remedy: `Restore it with \`keyloan db restore ${buildId} ${connectorId}\`, then ask again.`,
    details: { connector: connectorId },
  });
}
