import { BrokerError, ProviderError } from "@keyloan/contract";
import type { LeaseRow, StoredUsage } from "@keyloan/store";
import { bySystem } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import type { BrokerConfig } from "../../env.ts";
import { describeError } from "../../observe/logger.ts";
import { credentialToIssue } from "../leases/org-credential.ts";
import { planned } from "../leases/planned-lease.ts";
import { isKeptForUser } from "../lending/is-kept-for-user.ts";
import { type Archivable, archivableOf } from "./archivable.ts";
import { isBeingArchived, planArchive } from "./request-archive.ts";

const dayMs = 24 * 3_600_000;
const askedAtOnceMax = 4;
const askDeadlineMs = 30_000;
/** A database that could not be archived is left alone so long before it is tried again by itself. */
const failedWaitMs = 7 * dayMs;

/** How long a database lies idle until it is archived; `undefined`: it never is by itself. */
export function idleMsMax({ archiveAfterDays }: Pick<BrokerConfig, "archiveAfterDays">): number | undefined {
  return archiveAfterDays > 0 ? archiveAfterDays * dayMs : undefined;
}

/** How often usage is asked for: daily, and four times within a shorter limit. 0: never. */
export function usageIntervalMs(config: Pick<BrokerConfig, "archiveAfterDays">): number {
  const idleMs = idleMsMax(config);
  return idleMs === undefined ? 0 : Math.min(dayMs, idleMs / 4);
}

/**
 * Asks the providers how much every lent database was used, which wakes none of them, and begins to archive those
 * that lie idle.
 */
export async function watchUsage(deps: Deps, signal: AbortSignal): Promise<void> {
  for (const connector of deps.connectors.values()) {
    const archivable = archivableOf(connector);
    if (archivable === undefined) continue;
    const leases = await deps.store.read.leases.listByState(connector.spec.id, ["active"]);
    const left = leases.values();
    const worker = async () => {
      for (const lease of left) {
        if (signal.aborted) return;
        await lookAt(deps, archivable, lease, signal);
      }
    };
    await Promise.all(Array.from({ length: askedAtOnceMax }, worker));
  }
}

/** One that cannot be asked is asked the next time. */
async function lookAt(
  deps: Deps,
  archivable: Archivable,
  lease: LeaseRow,
  signal: AbortSignal,
): Promise<void> {
  try {
    const rows = await rowsUsed(deps, archivable, lease, signal);
    const archives = await deps.store.read.archives.listByLease(lease.id);
    const triedAt = archives[0]?.createdAt;
    const usage = nextUsage(lease, rows, deps.now(), triedAt);
    await deps.change(bySystem("usage"), [lease.buildId], (tx) =>
      tx.leases.update(lease.id, ["active"], { usage }),
    );
    await archiveIfIdle(deps, lease, usage, triedAt);
  } catch (error) {
    const code = error instanceof ProviderError || error instanceof BrokerError ? { code: error.code } : {};
    deps.logger.warn(
      { leaseId: lease.id, connector: lease.connectorId, ...code, ...describeError(error) },
      "the usage of a database could not be read",
    );
  }
}

async function rowsUsed(
  deps: Deps,
  { connector, control }: Archivable,
  lease: LeaseRow,
  signal: AbortSignal,
): Promise<number> {
  const org = await credentialToIssue(deps, connector);
  const ending = AbortSignal.any([signal, AbortSignal.timeout(askDeadlineMs)]);
  const since = lease.issuedAt ?? lease.createdAt;
  const { rows } = await control.usage(deps.contextFor(connector, ending), org, planned(lease), since);
  return rows;
}

/**
 * What is known after a look. A provider that counts by the month begins anew with each, so a smaller number tells
 * of use only when it is not zero. What an archiving of ours read is no use.
 */
export function nextUsage(
  { usage, issuedAt }: Pick<LeaseRow, "usage" | "issuedAt">,
  rows: number,
  now: number,
  triedAt: number | undefined,
): StoredUsage {
  if (usage === null) return { rows, checkedAt: now, idleSince: rows === 0 ? (issuedAt ?? now) : now };
  const isUsed = rows > usage.rows || (rows < usage.rows && rows > 0);
  const isOurs = triedAt !== undefined && triedAt >= usage.checkedAt;
  // A clock that was set back makes no database look used in the future.
  const idleSince = Math.min(usage.idleSince, now);
  return { rows, checkedAt: now, idleSince: isUsed && !isOurs ? now : idleSince };
}

async function archiveIfIdle(
  deps: Deps,
  lease: LeaseRow,
  usage: StoredUsage,
  triedAt: number | undefined,
): Promise<void> {
  const now = deps.now();
  const idleMs = idleMsMax(deps.config);
  if (idleMs === undefined || now - usage.idleSince < idleMs) return;
  if (triedAt !== undefined && now - triedAt < Math.min(failedWaitMs, idleMs)) return;
  await deps.change(bySystem("idle"), [lease.buildId], async (tx) => {
    const build = await tx.builds.find(lease.buildId);
    if (build?.state !== "ready" && build?.state !== "handing_off" && build?.state !== "handed_off") return;
    if (await isBeingArchived(tx, lease.id)) return;
    if (await isKeptForUser(deps, tx, lease)) return;
    await planArchive(deps, tx, lease, "idle");
  });
}
