import { BrokerError, type Connector, type MovableView } from "@keyloan/contract";
import type { LeaseRow, TransferRow, UserKeyRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { isLendingOver } from "../lending/lending-end.ts";
import { boundConnector, type EditableBuild } from "../settings/editable-build.ts";
import { isOpen, type Movable, movableOf, newestOf } from "./movable.ts";

/** A connector of a build whose data may be moved now. */
export type Candidate = {
  readonly connector: Connector;
  readonly movable: Movable;
  readonly lease: LeaseRow;
  /** The newest that the user saved. */
  readonly key: UserKeyRow;
};

export type Readiness =
  | { readonly ready: true; readonly key: UserKeyRow }
  | { readonly ready: false; readonly waitsFor: MovableView["waitsFor"] & {} };

/** Whether a connector's data can be moved now, and if not, what it waits for. */
export function readinessOf(
  { bindings, userKeys }: Pick<EditableBuild, "bindings" | "userKeys">,
  connectorId: string,
  newest: TransferRow | undefined,
): Readiness {
  if (bindings.find((binding) => binding.connectorId === connectorId)?.source === "user") {
    return { ready: false, waitsFor: "switched" };
  }
  if (newest !== undefined && isOpen(newest)) return { ready: false, waitsFor: "transfer" };
  const key = userKeys.find((row) => row.connectorId === connectorId);
  if (key === undefined) return { ready: false, waitsFor: "keys" };
  return key.check.status === "valid" ? { ready: true, key } : { ready: false, waitsFor: "check" };
}

/**
 * What a request names, or everything that can be moved now.
 * @throws BrokerError `not_supported`, `already_running`, `not_ready`, `conflict` or `not_found` for what it names;
 * `not_ready` when there is nothing
 */
export async function candidatesOf(
  deps: Deps,
  editable: EditableBuild,
  rows: readonly TransferRow[],
  wanted: readonly string[] | undefined,
): Promise<Candidate[]> {
  if (isLendingOver(deps.config, editable.build, editable.bindings, deps.now())) throw nothingLent();
  const leases = await deps.store.read.leases.listByBuild(editable.build.id);
  const newest = newestOf(rows);
  const ids = wanted ?? editable.bindings.map(({ connectorId }) => connectorId);
  const candidates = [...new Set(ids)].flatMap((id): Candidate[] => {
    const connector = wanted === undefined ? deps.connectors.get(id) : boundConnector(deps, editable, id);
    const movable = connector === undefined ? undefined : movableOf(connector);
    const lease = leases.find(({ connectorId, state }) => connectorId === id && state === "active");
    if (connector === undefined || movable === undefined || lease === undefined) {
      if (wanted === undefined) return [];
      throw notMovable(connector?.spec.label ?? id, lease !== undefined);
    }
    const readiness = readinessOf(editable, id, newest.get(id));
    if (readiness.ready) return [{ connector, movable, lease, key: readiness.key }];
    if (wanted === undefined) return [];
    throw notReady(connector.spec.label, readiness.waitsFor);
  });
  if (candidates.length > 0) return candidates;
  throw new BrokerError("not_ready", "there is nothing that can be moved right now", {
    remedy:
      "Save your own keys for the app's database or file storage first, and wait until they are checked.",
  });
}

function nothingLent(): BrokerError {
  return new BrokerError("conflict", "everything lent to this app has ended, and its data with it", {
    remedy: "You do not need to do anything: the app uses its user's own accounts.",
  });
}

function notMovable(label: string, active: boolean): BrokerError {
  return active
    ? new BrokerError("not_supported", `${label} holds no data that can be moved`, {
        remedy: "Switch to your own keys there without moving.",
      })
    : new BrokerError("not_ready", `the lent ${label} is not in use now`, {
        remedy: "Look at the build: restore an archived database first.",
      });
}

function notReady(label: string, waitsFor: MovableView["waitsFor"] & {}): BrokerError {
  switch (waitsFor) {
    case "keys":
      return new BrokerError("not_ready", `the user has not saved their own keys for ${label}`, {
        remedy: "Save them first: the data is moved to the account they belong to.",
      });
    case "check":
      return new BrokerError("not_ready", `it is not known whether the saved keys for ${label} work`, {
        remedy: "Check them again first.",
      });
    case "transfer":
      return new BrokerError("already_running", `the data of ${label} is already being moved`, {
        remedy: "Wait until it is done, or cancel it.",
      });
    case "switched":
      return new BrokerError("conflict", `the app already uses the user's own ${label}`, {
        remedy: "Go back to the lent keys first, within the time for that.",
      });
  }
}
