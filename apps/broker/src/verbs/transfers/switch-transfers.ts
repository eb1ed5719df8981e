import { BrokerError } from "@keyloan/contract";
import { listObjects } from "@keyloan/database-provisioner";
import type { TransferRow, UserKeyRow } from "@keyloan/store";
import { bySystem, type Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { settingsChanged } from "../settings/editable-build.ts";
import { isOpen, movableOf, newestOf } from "./movable.ts";
import { openEnds } from "./transfer-ends.ts";
import { transferJob } from "./transfer-jobs.ts";

const listDeadlineMs = 60_000;

/**
 * The proven copies that a switch to these keys goes to. A connector without one is switched without its data.
 * @throws BrokerError `already_running` while one is still being moved, `conflict` when it was moved with other
 * keys or files were changed since; `provider_failed` when that cannot be found out
 */
export async function copiesToSwitch(
  deps: Deps,
  buildId: string,
  targets: readonly UserKeyRow[],
): Promise<TransferRow[]> {
  const newest = newestOf(await deps.store.read.transfers.listByBuild(buildId));
  const copies: TransferRow[] = [];
  for (const { connectorId, id } of targets) {
    const row = newest.get(connectorId);
    if (row === undefined || !isOpen(row)) continue;
    const label = deps.connectors.get(connectorId)?.spec.label ?? connectorId;
    if (row.state !== "copied") throw stillMoving(label);
    if (row.userKeyId !== id) throw movedElsewhere(label);
    copies.push(row);
  }
  for (const row of copies) if (row.kind === "storage") await refuseChangedFiles(deps, row);
  return copies;
}

/**
 * Marks copies as the ones in use, with the switch itself. Their sources stay without writes until the time to go
 * back is over, and are given back then.
 */
export async function recordSwitched(
  deps: Pick<Deps, "now">,
  tx: Unit,
  copies: readonly TransferRow[],
  revertibleUntil: number,
): Promise<void> {
  const now = deps.now();
  for (const row of copies) {
    const changes = { state: "switched", endedAt: now, lastError: null } as const;
    if (!(await tx.transfers.update(row.id, ["copied"], changes))) throw settingsChanged();
    await tx.jobs.cancelByEntity(row.id, "end-transfer");
    tx.job(transferJob("end-transfer", row), revertibleUntil);
  }
}

/**
 * Gives what is where these keys lead to whose they are: after a switch to them nothing there is ours, whichever
 * transfer brought it, and whether or not the switch took a copy along.
 */
export async function giveTargets(tx: Unit, buildId: string, keys: readonly UserKeyRow[]): Promise<void> {
  const ids = keys.map(({ id }) => id);
  await tx.writtenObjects.forget(ids);
  for (const row of await tx.transfers.listByBuild(buildId)) {
    const { id, state, kind, progress } = row;
    if (progress?.target === undefined || !ids.includes(row.userKeyId)) continue;
    const { target: _, ...rest } = progress;
    const isNoted = kind === "database";
    await tx.transfers.update(id, [state], { progress: isNoted ? { ...rest, noted: true } : rest });
    if (isNoted) tx.job(transferJob("end-notes", row));
  }
}

/** Lets the app write to what was lent again, with going back itself. What was copied stays where it is. */
export async function recordReverted(
  deps: Pick<Deps, "now">,
  tx: Unit,
  buildId: string,
  connectors: readonly string[],
): Promise<void> {
  for (const row of await tx.transfers.listByBuild(buildId)) {
    if (row.state !== "switched" || !connectors.includes(row.connectorId)) continue;
    await tx.jobs.cancelByEntity(row.id, "end-transfer");
    const frozen = row.frozenAt !== null;
    const changes = { state: "cancelled", endedAt: frozen ? null : deps.now() } as const;
    await tx.transfers.update(row.id, ["switched"], changes);
    if (frozen) tx.job(transferJob("end-transfer", row), deps.now());
  }
}

/**
 * Keeps the keys that data is being moved with.
 * @throws BrokerError `already_running`
 */
export async function refuseWhileMoving(deps: Deps, buildId: string, connectorId: string): Promise<void> {
  const row = newestOf(await deps.store.read.transfers.listByBuild(buildId)).get(connectorId);
  if (row === undefined || !isOpen(row)) return;
  throw new BrokerError("already_running", "data is being moved with these keys", {
    remedy: "Cancel the move first, or switch to the copy.",
  });
}

async function refuseChangedFiles(deps: Deps, row: TransferRow): Promise<void> {
  const connector = deps.connectors.get(row.connectorId);
  const movable = connector === undefined ? undefined : movableOf(connector);
  const signal = AbortSignal.timeout(listDeadlineMs);
  const ends = connector === undefined ? undefined : await openEnds(deps, row, connector, signal);
  if (movable?.kind !== "storage" || ends === undefined) throw settingsChanged();
  const { listSha256 } = await listObjects(movable.storage, ends.from);
  if (listSha256 === row.progress?.provenSha256) return;
  const lastError = {
    provider: row.connectorId,
    code: "changed_since",
    message: "files were added, changed or removed after they were copied",
    remedy: "Move them again: only what changed is copied. Then switch.",
    retryable: true,
  };
  await deps.change(bySystem("transfers"), [row.buildId], async (tx) => {
    const changes = { state: "failed", lastError, receipt: null, endedAt: deps.now() } as const;
    if (!(await tx.transfers.update(row.id, ["copied"], changes))) return;
    await tx.jobs.cancelByEntity(row.id, "end-transfer");
  });
  throw new BrokerError("conflict", lastError.message, {
    remedy: lastError.remedy,
    details: { connector: row.connectorId },
  });
}

function stillMoving(label: string): BrokerError {
  return new BrokerError("already_running", `the data of ${label} is still being moved`, {
    remedy: "Wait until it is done, or cancel it to switch without it.",
  });
}

function movedElsewhere(label: string): BrokerError {
  return new BrokerError("conflict", `the data of ${label} was moved with other keys than those saved now`, {
    remedy: "Cancel that move, then move again or switch without the data.",
  });
}
