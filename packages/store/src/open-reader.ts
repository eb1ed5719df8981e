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

// Reading does not wait for writers. Any other wait blocks the event loop, so it must be short.
const lockWaitMs = 50;

/**
 * Opens a connection for reading committed data. Before the first query in each turn of the event loop, it checks
 * whether the file's shape differs from what the connection has parsed.
 * @throws StoreError
 */
export function openReader(path: string, shape: StoreShape): Reader {
  const connection = open(path, () => beginTurn());
  const loaded = shape.load(connection);
  let isLookedAt = false;
  /** Runs in a transaction, so that the parsed shape and the shape it is compared with are of the same moment. */
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
        // The schema version may have changed and changed back in between, which does not show.
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
