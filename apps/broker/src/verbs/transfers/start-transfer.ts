import {
  type Actor,
  actorLabel,
  BrokerError,
  type Connector,
  newId,
  type TransferList,
} from "@keyloan/contract";
import {
  isEmptyDatabase,
  isEmptyStorage,
  TransferFailure,
  targetNotEmpty,
} from "@keyloan/database-provisioner";
import type { TransferRow } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { keepAliveUntil } from "../builds/keep-alive.ts";
import { alreadyArchiving, isBeingArchived } from "../databases/request-archive.ts";
import { type EditableBuild, editableBuild, settingsChanged } from "../settings/editable-build.ts";
import { refuseOverwriteByToken, refuseUnlessAllowed } from "../settings/person-decides.ts";
import { takeStep } from "../settings/take-step.ts";
import { type Candidate, candidatesOf } from "./candidates.ts";
import { listTransfers } from "./list-transfers.ts";
import { isOpen, newestOf, switchWithinMs } from "./movable.ts";
import { refuseSameEnds } from "./same-ends.ts";
import { openEnds } from "./transfer-ends.ts";
import { toTransferError } from "./transfer-errors.ts";
import { beginWaiting } from "./transfer-jobs.ts";
import { endsGone } from "./watch-transfer.ts";

/** The longest move. */
export const transferDeadlineSeconds = 6 * 3600;
const lookDeadlineMs = 20_000;

export type TransferInput = {
  readonly connectors?: readonly string[] | undefined;
  readonly overwrite: boolean;
  readonly expectedVersion?: number | undefined;
};

/**
 * Begins to move what the app stored with lent keys into the user's own accounts, and answers when it is begun.
 * Nothing is switched by it.
 * @throws BrokerError `person_decides` when a token may not, `target_not_empty`, `already_running`, `not_supported`, `not_ready`, `not_found`,
 * `conflict`, `settings_changed`, `provider_failed` when a target cannot be looked at, and those of a build that
 * cannot change
 */
export async function startTransfer(
  deps: Deps,
  by: By,
  buildId: string,
  input: TransferInput,
  signal: AbortSignal,
): Promise<TransferList> {
  const editable = await editableBuild(deps, { buildId }, input.expectedVersion);
  refuseOverwriteByToken(by.actor, input.overwrite);
  await refuseUnlessAllowed(deps.store.read, by.actor, buildId, "transfer");
  const rows = await deps.store.read.transfers.listByBuild(buildId);
  const candidates = await candidatesOf(deps, editable, rows, input.connectors);
  await Promise.all(
    candidates.map((candidate) =>
      lookAtTarget(deps, candidate, input.overwrite || hasOurs(candidate, rows), signal),
    ),
  );
  await keepAliveForTransfer(deps, by, buildId);
  await deps.change(by, [buildId], async (tx) => {
    await recordStep(deps, tx, editable, candidates);
    for (const candidate of candidates) {
      const row = newTransfer(deps, by.actor, candidate, rows, input);
      await tx.transfers.insert(row);
      await forgetWhenOverwriting(tx, row);
      const { id, connectorId, overwrite } = row;
      tx.audit("transfer.started", buildId, { connector: connectorId, transferId: id, overwrite });
    }
    await beginWaiting(tx, buildId);
  });
  return listTransfers(deps, by.actor, buildId);
}

/** Who says that what is there may be replaced says it of all that is there, also of what we wrote and they changed. */
export async function forgetWhenOverwriting(
  tx: Unit,
  { overwrite, userKeyId }: Pick<TransferRow, "overwrite" | "userKeyId">,
): Promise<void> {
  if (overwrite) await tx.writtenObjects.forget([userKeyId]);
}

/** What is lent must live through the longest move and the wait for the switch. */
export async function keepAliveForTransfer(deps: Deps, by: By, buildId: string): Promise<void> {
  const until = deps.now() + transferDeadlineSeconds * 1000 + switchWithinMs;
  await keepAliveUntil(deps, by, buildId, until);
}

/**
 * Looks at once whether the data may go there, so that whoever asked learns of it now.
 * @throws BrokerError `target_not_empty`, `conflict`, or `provider_failed` when the target does not answer
 */
export async function lookAtTarget(
  deps: Deps,
  { connector, movable, lease, key }: Candidate,
  mayHoldSomething: boolean,
  requested: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([requested, AbortSignal.timeout(lookDeadlineMs)]);
  const row = {
    buildId: lease.buildId,
    connectorId: lease.connectorId,
    leaseId: lease.id,
    userKeyId: key.id,
  };
  const ends = await openEnds(deps, row, connector, signal);
  if (ends === undefined) throw endsGone();
  refuseSameEnds(connector, ends);
  if (mayHoldSomething) return;
  const looking =
    movable.kind === "database"
      ? isEmptyDatabase(movable.content, ends.to)
      : isEmptyStorage(movable.storage, ends.to);
  if (await looking.catch((error: unknown) => refuseSilent(error, connector))) return;
  const { code, message, remedy } = targetNotEmpty(movable.kind === "database" ? "tables" : "files");
  throw new BrokerError(code, `${connector.spec.label}: ${message}`, {
    ...(remedy === undefined ? {} : { remedy }),
    details: { connector: connector.spec.id, kind: movable.kind },
  });
}

/** @throws BrokerError `provider_failed`, in words for the one whose account did not answer */
function refuseSilent(error: unknown, connector: Connector): never {
  if (!(error instanceof TransferFailure)) throw error;
  const { message, remedy, code, status, requestId } = toTransferError(error, connector);
  throw new BrokerError("provider_failed", message, {
    remedy,
    details: { provider: connector.spec.id, code, status, requestId },
    cause: error,
  });
}

/**
 * One more step of the settings, so that nothing else is changed on what this was decided on.
 * @throws BrokerError when something came in between since the candidates were chosen
 */
export async function recordStep(
  deps: Pick<Deps, "now">,
  tx: Unit,
  { build }: EditableBuild,
  candidates: readonly Candidate[],
): Promise<void> {
  await takeStep(deps, tx, build);
  if ((await tx.builds.find(build.id))?.state !== build.state) throw settingsChanged();
  for (const { lease } of candidates) {
    if (await isBeingArchived(tx, lease.id)) throw alreadyArchiving();
  }
  const newest = newestOf(await tx.transfers.listByBuild(build.id));
  const running = candidates.find(({ connector }) => {
    const row = newest.get(connector.spec.id);
    return row !== undefined && isOpen(row);
  });
  if (running === undefined) return;
  throw new BrokerError(
    "already_running",
    `the data of ${running.connector.spec.label} is already being moved`,
    {
      remedy: "Wait until it is done, or cancel it.",
    },
  );
}

/** Files that an earlier transfer with the same keys left there, before any switch to them, are gone on with. */
function hasOurs({ movable, key }: Candidate, rows: readonly TransferRow[]): boolean {
  return (
    movable.kind === "storage" &&
    rows.some(({ userKeyId, progress }) => userKeyId === key.id && progress?.target !== undefined)
  );
}

function newTransfer(
  deps: Deps,
  actor: Actor,
  candidate: Candidate,
  rows: readonly TransferRow[],
  { overwrite }: TransferInput,
): TransferRow {
  const { connector, movable, lease, key } = candidate;
  const createdAt = deps.now();
  const begun = hasOurs(candidate, rows) ? ({ target: "part" } as const) : {};
  return {
    id: newId("transfer", deps.randomBytes),
    buildId: lease.buildId,
    connectorId: connector.spec.id,
    kind: movable.kind,
    state: "waiting",
    leaseId: lease.id,
    userKeyId: key.id,
    overwrite,
    progress: { phase: "waiting", at: createdAt, ...begun },
    frozenAt: null,
    receipt: null,
    startedBy: actorLabel(actor),
    createdAt,
    askedAt: createdAt,
    endedAt: null,
    lastError: null,
  };
}
