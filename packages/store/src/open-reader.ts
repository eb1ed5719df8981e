import { type Connection, openConnection } from "./connection.ts";
import type { Database } from "./database.ts";
import { toStoreError } from "./errors.ts";
import type { LoadedShape, StoreShape } from "./store-shape.ts";

export type Reader = {
  readonly database: Database;
  /** See {@link LoadedShape}. */
  readonly findShapeDifference: LoadedShape["findDifference"];
  readonly close: () => void;
};

// Reading waits for no writer; what little waits there is blocks the event loop, so it is short.
const lockWaitMs = 50;

/**
 * A connection for reading what is committed. In each turn of the event loop that reads, it is looked first whether the
 * file is built otherwise than what the connection has parsed.
 * @throws StoreError
 */
export function openReader(path: string, shape: StoreShape): Reader {
  const connection = open(path, () => beginTurn());
  const loaded = shape.load(connection);
  let isLookedAt = false;
  /** What is parsed and what it is compared with are of one moment. */
  const inTransaction = <T>(read: () => T): T => {
    connection.runNow`BEGIN`;
    try {
      return read();
    } finally {
      connection.rollBack();
    }
  };
  const beginTurn = (): void => {
    if (isLookedAt) return;
    if (!loaded.isCurrent()) inTransaction(loaded.refresh);
    isLookedAt = true;
    process.nextTick(() => {
      isLookedAt = false;
    });
  };
  return {
    database: connection.database,
    findShapeDifference: () =>
      inTransaction(() => {
        const difference = loaded.findDifference();
        if (difference !== undefined) return difference;
        // A number that was another in between, and is the old one again, does not show.
        loaded.forget();
        loaded.refresh();
        return undefined;
      }),
    close: connection.close,
  };
}

function open(path: string, beforeEach: () => void): Connection {
  try {
    return openConnection(path, { lockWaitMs, beforeEach });
  } catch (error) {
    throw toStoreError(error);
  }
}
