import { BrokerError, newId } from "@keyloan/contract";
import type { LeaseRow, Tables } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import { buildClosed } from "../../build-closed.ts";
import type { Deps } from "../../deps.ts";
import { type BuildDatabase, findDatabase } from "./archivable.ts";

/**
 * Begins to bring an archived database back as a new one with a new token, and answers when it is begun. The build
 * uses the new one when it holds what was archived.
 * @throws BrokerError `not_found`, `not_supported`, `build_closed`, `not_ready` when it is not archived,
 * `already_running`
 */
export async function requestRestore(
  deps: Deps,
  by: By,
  buildId: string,
  connectorId: string,
): Promise<void> {
  const found = await findDatabase(deps, buildId, connectorId);
  const { build, lease } = found;
  if (build.state === "handed_off") throw buildClosed(build.state);
  const archive = (await deps.store.read.archives.listByLease(lease.id)).find(
    ({ state }) => state === "verified",
  );
  if (lease.state !== "archived" || archive === undefined) {
    throw new BrokerError(
      "not_ready",
      `the database of ${connectorId} is not archived, it is ${lease.state}`,
      {
        remedy: "See its state with `keyloan db list`.",
      },
    );
  }
  const fresh = newLease(deps, found);
  const payload = { archiveId: archive.id, leaseId: lease.id };
  await deps.change(by, [buildId], async (tx) => {
    const now = await tx.builds.find(buildId);
    if (now?.state !== build.state) throw buildClosed(now?.state ?? "closed");
    if (await isBeingRestored(tx, lease)) throw alreadyRestoring();
    if ((await tx.leases.find(lease.id))?.state !== "archived") throw alreadyRestoring();
    await tx.leases.insertAll([fresh]);
    tx.job({ kind: "restore", entityId: fresh.id, buildId, connectorId, payload });
    const details = { connector: connectorId, archive: archive.id, lease: fresh.id };
    tx.audit("database.restoring", buildId, details);
  });
}

function newLease(deps: Deps, { build, lease, archivable }: BuildDatabase): LeaseRow {
  const id = newId("lease", deps.randomBytes);
  const { expiresAt } = build;
  const { options } = lease;
  const handle = archivable.database.plan({ leaseId: id, buildId: build.id, expiresAt, options });
  return {
    ...lease,
    ...{ id, handle, expiresAt, state: "planned", createdAt: deps.now(), attempts: 0 },
    ...{ env: null, orgKeyVersion: null, issuedAt: null, lastError: null, usage: null },
  };
}

/** Whether a new lease is being filled to take an archived one's place. */
async function isBeingRestored(
  { leases, endings }: Pick<Tables, "leases" | "endings">,
  { id: archivedId, buildId, connectorId }: LeaseRow,
): Promise<boolean> {
  const others = (await leases.listByBuild(buildId)).filter(
    (lease) => lease.connectorId === connectorId && lease.id !== archivedId,
  );
  const open = await endings.openJobsOf(others.map(({ id }) => id));
  return open.some(({ kind }) => kind === "restore");
}

function alreadyRestoring(): BrokerError {
  return new BrokerError("already_running", "the database is being restored", {
    remedy: "Check the progress with `keyloan db list`.",
  });
}
