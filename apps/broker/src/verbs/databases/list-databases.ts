import type { Actor, ArchiveView, DatabaseList, DatabaseView } from "@keyloan/contract";
import { countRows } from "@keyloan/database-provisioner";
import type { ArchiveRow, JobRow, LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import { findBuild } from "../builds/find-build.ts";
import { mayNameContent, withoutNames } from "../content-names.ts";
import { archivableOf } from "./archivable.ts";
import { idleMsMax } from "./watch-usage.ts";
import { progressOf } from "./watch-work.ts";

/**
 * The databases that a build uses, what they are used, and their archives. Only a caller who may have what is in them
 * learns the names of tables.
 * @throws BrokerError `not_found`
 */
export async function listDatabases(
  deps: Pick<Deps, "store" | "connectors" | "config">,
  actor: Actor,
  buildId: string,
): Promise<DatabaseList> {
  // Jobs before rows: what ends meanwhile is shown as running, rather than as it was before.
  const jobs = await runningJobs(deps, (await findBuild(deps, buildId)).leases);
  const { leases } = await findBuild(deps, buildId);
  const bindings = await deps.store.read.bindings.listByBuild(buildId);
  const mayName = await mayNameContent(deps.store.read, actor);
  const archives = await deps.store.read.archives.listByBuild(buildId);
  const databases: DatabaseView[] = [];
  for (const { connectorId, leaseId } of bindings) {
    const lease = leases.find(({ id }) => id === leaseId);
    if (lease === undefined || archivableOf(deps.connectors.get(connectorId)) === undefined) continue;
    const running = jobs.find((job) => job.connectorId === connectorId);
    const own = archives.filter((archive) => archive.connectorId === connectorId);
    const view = databaseView(deps, lease, own, running);
    databases.push(mayName ? view : unnamed(view));
  }
  return { databases };
}

function databaseView(
  deps: Pick<Deps, "config">,
  lease: LeaseRow,
  archives: readonly ArchiveRow[],
  running: JobRow | undefined,
): DatabaseView {
  const { usage, lastError, connectorId, state } = lease;
  const idleMs = idleMsMax(deps.config);
  return {
    connector: connectorId,
    leaseId: lease.id,
    state,
    ...(usage === null ? {} : { usedRows: usage.rows, idleSince: isoTime(usage.idleSince) }),
    ...(usage === null || idleMs === undefined || state !== "active"
      ? {}
      : { archiveAt: isoTime(usage.idleSince + idleMs) }),
    ...(running === undefined ? {} : { running: runningView(running) }),
    ...(lastError === null ? {} : { error: pickError(lastError) }),
    archives: archives.map(archiveView),
  };
}

function unnamed({ running, error, archives, ...rest }: DatabaseView): DatabaseView {
  const { item: _, ...progress } = running?.progress ?? { phase: "waiting" };
  const textOf = (text: string | undefined) => (text === undefined ? {} : { error: withoutNames(text) });
  return {
    ...rest,
    ...(running === undefined ? {} : { running: { ...running, progress } }),
    ...(error === undefined ? {} : { error: { ...error, message: withoutNames(error.message) } }),
    archives: archives.map((archive) => ({ ...archive, ...textOf(archive.error) })),
  };
}

const pickError = ({ code, message, remedy }: NonNullable<LeaseRow["lastError"]>) => ({
  code,
  message,
  remedy,
});

function archiveView(archive: ArchiveRow): ArchiveView {
  const { id, state, bytes, summary, createdAt, verifiedAt, droppedAt, restoredAt, lastError } = archive;
  return {
    id,
    state,
    ...(bytes === null ? {} : { bytes }),
    ...(summary === null ? {} : { tables: summary.tables.length, rows: countRows(summary) }),
    createdAt: isoTime(createdAt),
    ...(verifiedAt === null ? {} : { verifiedAt: isoTime(verifiedAt) }),
    ...(droppedAt === null ? {} : { droppedAt: isoTime(droppedAt) }),
    ...(restoredAt === null ? {} : { restoredAt: isoTime(restoredAt) }),
    ...(lastError === null ? {} : { error: lastError }),
  };
}

function runningView(job: JobRow): NonNullable<DatabaseView["running"]> {
  const kind = job.kind === "restore" ? ("restore" as const) : ("archive" as const);
  const state = job.state === "requires_action" ? ("requires_action" as const) : ("waiting" as const);
  return { kind, state, progress: progressOf(job) };
}

/** The jobs that archive one of the databases, or fill one that takes its place. */
async function runningJobs(deps: Pick<Deps, "store">, leases: readonly LeaseRow[]): Promise<JobRow[]> {
  const open = await deps.store.read.endings.openJobsOf(leases.map(({ id }) => id));
  return open.filter(({ kind }) => kind === "archive" || kind === "restore");
}
