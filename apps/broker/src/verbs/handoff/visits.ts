import { BrokerError, limits, type VisitList } from "@keyloan/contract";
import type { By } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import { findBuild } from "../builds/find-build.ts";

/**
 * The visits of a build's settings page, newest first, as whoever made the build sees them.
 * @throws BrokerError `not_found`
 */
export async function listVisits(deps: Pick<Deps, "store">, buildId: string): Promise<VisitList> {
  await findBuild(deps, buildId);
  const [person, rows] = await Promise.all([
    deps.store.read.persons.findByBuild(buildId),
    deps.store.read.sessions.listByBuild(buildId, limits.pageSizeMax),
  ]);
  const sessions = rows.map((row) => ({
    id: row.id,
    openedBy: row.openedBy,
    isPerson: row.personId !== null && row.personId === person?.id,
    openedAt: isoTime(row.createdAt),
    lastUsedAt: isoTime(row.lastUsedAt),
    expiresAt: isoTime(row.expiresAt),
    ...(row.endedAt === null ? {} : { endedAt: isoTime(row.endedAt) }),
  }));
  return { sessions };
}

/**
 * Ends a visit now. Whoever can prove to be the person comes in again; what was saved stays.
 * @throws BrokerError `not_found` when the build has no such visit
 */
export async function endVisit(deps: Deps, by: By, buildId: string, sessionId: string): Promise<void> {
  const found = await deps.change(by, [buildId], async (tx) => {
    if (!(await tx.sessions.end(sessionId, buildId, deps.now()))) return tx.unaudited(false);
    tx.audit("session.ended", buildId, { sessionId });
    return true;
  });
  if (found) return;
  throw new BrokerError("not_found", `the build has no session ${sessionId}`, {
    remedy: "List its sessions with `keyloan build sessions`.",
  });
}
