import type {
  Connector,
  DatabaseContent,
  DatabaseControl,
  StorageContent,
  TransferState,
} from "@keyloan/contract";
import type { TransferRow } from "@keyloan/store";

/** What of a connector's can be moved to an account of the user's own. */
export type Movable =
  | { readonly kind: "database"; readonly content: DatabaseContent; readonly control: DatabaseControl }
  | { readonly kind: "storage"; readonly storage: StorageContent };

/** `undefined` when the connector holds nothing that could be moved whole. */
export function movableOf({ database, storage }: Connector): Movable | undefined {
  // A database whose writes cannot be stopped would change under the copy.
  if (database?.content !== undefined && database.control !== undefined) {
    return { kind: "database", content: database.content, control: database.control };
  }
  return storage === undefined ? undefined : { kind: "storage", storage };
}

/** How long a proven copy waits for the switch: its source takes no writes meanwhile. */
export const switchWithinMs = 30 * 60_000;

const actsWithinMs = 24 * 3_600_000;

/**
 * Whether a transfer may still write to the user's account or take its own copy out of it. What was asked for is done
 * within a day or not at all: whoever puts an old row back has nothing replaced that the user has made since.
 */
export function mayAct({ askedAt }: Pick<TransferRow, "askedAt">, now: number): boolean {
  return Math.abs(now - askedAt) <= actsWithinMs;
}

export const movingStates: readonly TransferState[] = ["waiting", "copying"];

/** Whether a job still has something to do for it: to copy, to wait for the switch, or to tidy up. */
export function isOpen({ state, endedAt }: Pick<TransferRow, "state" | "endedAt">): boolean {
  return state !== "switched" && endedAt === null;
}

/** The newest transfer of each connector, of a list that is ordered so. */
export function newestOf(rows: readonly TransferRow[]): ReadonlyMap<string, TransferRow> {
  const newest = new Map<string, TransferRow>();
  for (const row of rows) if (!newest.has(row.connectorId)) newest.set(row.connectorId, row);
  return newest;
}
