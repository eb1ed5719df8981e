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
 * A connection for reading what is committed. All that is read in one turn of the event loop is read as of one moment:
 * a transaction begins with the first query, by looking at what the file is built of, and ends with the turn. A write
 * that was waited for is seen, since waiting for it ended the turn.
 * @throws StoreError
 */
export function openReader(path: string, shape: StoreShape): Reader {
  const connection = open(path, () => beginTurn());
  const loaded = shape.load(connection);
  let isBegun = false;
  const endTurn = (): void => {
    if (!isBegun) return;
    isBegun = false;
    try {
      connection.repeat`COMMIT`;
    } catch {
      connection.rollBack();
    }
  };
  const beginTurn = (): void => {
    if (isBegun) return;
    connection.repeat`BEGIN`;
    isBegun = true;
    process.nextTick(endTurn);
    try {
      loaded.refresh();
    } catch (error) {
      // The next query of this turn has to look again.
      endTurn();
      throw error;
    }
  };
  return {
    database: connection.database,
    findShapeDifference: () => {
      beginTurn();
      return loaded.findDifference();
    },
    close: () => {
      endTurn();
      connection.close();
    },
  };
}

function open(path: string, beforeEach: () => void): Connection {
  try {
    return openConnection(path, { lockWaitMs, beforeEach });
  } catch (error) {
    throw toStoreError(error);
  }
}
