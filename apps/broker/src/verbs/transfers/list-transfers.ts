import {
  type Actor,
  BrokerError,
  type MovableView,
  type ReceiptList,
  type ReceiptView,
  type TransferList,
  type TransferView,
} from "@keyloan/contract";
import type { StoredProgress, TransferRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import { findBuild } from "../builds/find-build.ts";
import { mayNameContent, withoutNames } from "../content-names.ts";
import { keysOf } from "../settings/editable-build.ts";
import { readinessOf } from "./candidates.ts";
import { movableOf, newestOf } from "./movable.ts";
import { readReceipt, shownReceipt } from "./receipt.ts";

/**
 * What of a build can be moved, and how far its newest transfers are. Only a caller who may have what the app stored
 * learns the names in it.
 * @throws BrokerError `not_found`
 */
export async function listTransfers(deps: Deps, actor: Actor, buildId: string): Promise<TransferList> {
  const { build, leases } = await findBuild(deps, buildId);
  const [mayName, person, bindings, saved, rows] = await Promise.all([
    mayNameContent(deps.store.read, actor),
    deps.store.read.persons.findByBuild(buildId),
    deps.store.read.bindings.listByBuild(buildId),
    deps.store.read.userKeys.listByBuild(buildId),
    deps.store.read.transfers.listByBuild(buildId),
  ]);
  const { userKeys } = keysOf(bindings, saved, person);
  const newest = newestOf(rows);
  const editable = build.state === "ready" || build.state === "handing_off";
  const movable = [...deps.connectors.values()].flatMap((connector): MovableView[] => {
    const { id } = connector.spec;
    const kind = movableOf(connector)?.kind;
    if (kind === undefined || !bindings.some(({ connectorId }) => connectorId === id)) return [];
    const transfer = newest.get(id);
    const lent = leases.some(({ connectorId, state }) => connectorId === id && state === "active");
    if (!lent && transfer === undefined) return [];
    const readiness = readinessOf({ bindings, userKeys }, id, transfer);
    return [
      {
        connector: id,
        kind,
        canStart: readiness.ready && editable && lent,
        ...(readiness.ready ? {} : { waitsFor: readiness.waitsFor }),
        ...(transfer === undefined ? {} : { transfer: transferView(transfer, mayName) }),
      },
    ];
  });
  return { movable };
}

/**
 * Receipts of everything that was copied and proven, newest first; they outlive the build. Only the person's name their
 * account.
 * @throws BrokerError `not_found`
 */
export async function listReceipts(
  deps: Deps,
  actor: Actor,
  buildId: string,
  connector?: string,
): Promise<ReceiptList> {
  await findBuild(deps, buildId);
  const rows = await deps.store.read.transfers.listByBuild(buildId);
  const person = await deps.store.read.persons.findByBuild(buildId);
  const keys = await deps.signer.readKeys();
  const receipts: ReceiptView[] = [];
  for (const { id, connectorId, receipt } of rows) {
    if (receipt === null || (connector !== undefined && connector !== connectorId)) continue;
    const content = await readReceipt(keys, receipt);
    if (content?.transferId === id) {
      const shown = await shownReceipt(deps, { actor, person }, receipt, content);
      receipts.push({ connector: connectorId, transferId: id, ...shown });
    } else deps.logger.error({ transferId: id }, "a receipt in the store was not signed by this broker");
  }
  if (receipts.length > 0 || connector === undefined) return { receipts };
  throw new BrokerError("not_found", `no data of ${connector} was moved and proven`, {
    remedy: "A receipt exists once a transfer has been copied; see `keyloan transfer show`.",
  });
}

function transferView(row: TransferRow, mayName: boolean): TransferView {
  const stored: StoredProgress = row.progress ?? { phase: "waiting", at: row.createdAt };
  const { phase, rows, rowsTotal, objects, objectsTotal, bytes, bytesTotal, item, switchBy } = stored;
  const lastError = row.lastError;
  const named = mayName ? { item } : {};
  return {
    id: row.id,
    connector: row.connectorId,
    kind: row.kind,
    state: row.state,
    progress: { phase, rows, rowsTotal, objects, objectsTotal, bytes, bytesTotal, ...named },
    overwrite: row.overwrite,
    sourceReadOnly: row.frozenAt !== null,
    tidying: row.endedAt === null && (row.state === "cancelled" || row.state === "failed"),
    startedAt: isoTime(row.createdAt),
    receipt: row.receipt !== null,
    ...(row.endedAt === null ? {} : { endedAt: isoTime(row.endedAt) }),
    ...(row.state === "copied" && switchBy !== undefined ? { switchBy: isoTime(switchBy) } : {}),
    ...(lastError === null ? {} : { error: errorView(lastError, mayName) }),
  };
}

function errorView(error: TransferRow["lastError"] & {}, mayName: boolean): TransferView["error"] {
  const { code, remedy, retryable, requestId } = error;
  const message = mayName ? error.message : withoutNames(error.message);
  return { code, message, remedy, retryable, ...(requestId === undefined ? {} : { requestId }) };
}
