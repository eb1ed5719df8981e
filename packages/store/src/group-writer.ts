import { createCheckpointer } from "./checkpointer.ts";
import { openConnection } from "./connection.ts";
import { StoreError, toStoreError } from "./errors.ts";
import type { Seals } from "./row-seal.ts";
import { runGroup, type Unit } from "./run-group.ts";
import type { StoreShape } from "./store-shape.ts";
import type { AuditMemory, MissingRows } from "./tables/audit-end.ts";
import type { NewAuditEvent } from "./tables/audit-events.ts";
import { createTables, type Tables } from "./tables/index.ts";

/**
 * The ids that a unit of work reads to make its decision, in any order; empty if it decides on nothing. Of two units
 * that share an id, one sees what the other has written. This engine runs all units one after another, so it ignores
 * the scope.
 */
export type Scope = readonly string[];

export type GroupWriter = {
  /**
   * Runs the unit in a transaction. Resolves once it is on disk; if this rejects, nothing of it was written.
   * @param scope the ids that the unit's decision depends on
   */
  readonly write: <T>(scope: Scope, run: (tables: Tables) => Promise<T>) => Promise<T>;
  /** Writes audit rows only; resolves once they are on disk. */
  readonly appendAudit: (rows: readonly NewAuditEvent[]) => Promise<void>;
  readonly auditMemory: () => Readonly<AuditMemory>;
  /** Stops treating rows as missing, once an audit row records that they are. */
  readonly acceptMissing: (told: MissingRows) => void;
  /** Copies the log into the file and empties it, between two groups. */
  readonly eraseDeleted: () => Promise<void>;
  /** Waits for queued writes and closes the file; later writes are refused. */
  readonly close: () => Promise<void>;
};

/** Called with the ids of requests whose audit rows are on disk, before their writes resolve. */
export type OnAudited = (requestIds: readonly string[]) => void;

const unitsPerGroupMax = 256;
const lockWaitMs = 5_000;

/**
 * Group commit: all writes that wait at the same time share one transaction and one flush to disk. A unit that fails is
 * rolled back to its own savepoint and does not affect the others; if the commit itself fails, all fail. A unit must
 * only await the tables that it is given. Waiting for the lock and the disk happens on another thread, and writes that
 * arrive meanwhile form the next group. While the file's shape differs from what the migrations create, the audit rows
 * of a group are read back before they count as written.
 */
export function createGroupWriter(
  path: string,
  shape: StoreShape,
  onAudited: OnAudited,
  seals: Seals,
): GroupWriter {
  const queue: Unit[] = [];
  const erasing: PromiseWithResolvers<void>[] = [];
  let inGroup = false;
  let flushing: Promise<void> | undefined;
  let closed = false;
  const connection = openConnection(path, { lockWaitMs, mayRun: () => inGroup });
  const tables = createTables(connection.database, seals);
  const loaded = shape.load(connection);

  // Deleted content is overwritten rather than left in free pages: a shredded key must be gone.
  // A commit copies the log itself only once the log has 16,000 pages, that is, if the checkpointer falls behind.
  const prepared = connection.run`PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 16000`;
  const checkpointer = createCheckpointer(path);

  const commitGroup = async (group: readonly Unit[]): Promise<void> => {
    let taken = group;
    try {
      await prepared;
      await connection.run`BEGIN IMMEDIATE`;
      inGroup = true;
      // No other broker can write from here on, so the shape that is parsed now applies to the whole group.
      loaded.refresh();
      // Another broker may have written to the store since.
      tables.auditEvents.forgetEnd();
      const { written, requestIds, settle, left } = await runGroup(connection, tables, loaded, group);
      queue.unshift(...left);
      taken = group.filter((unit) => !left.includes(unit));
      inGroup = false;
      await connection.run`COMMIT`;
      checkpointer.noteCommit();
      tables.auditEvents.noteCommitted(written.at(-1));
      onAudited(requestIds);
      settle();
    } catch (error) {
      inGroup = false;
      const failure = toStoreError(error);
      for (const unit of taken) unit.reject(failure);
      connection.rollBack();
    }
  };

  const flush = async (): Promise<void> => {
    // One turn of the event loop lets requests that arrived together join the group.
    await new Promise((resolve) => setImmediate(resolve));
    while (queue.length > 0 || erasing.length > 0) {
      // Writes of audit rows only are cheap and a request waits for each, so they go before writes that may take long.
      const group = takeSome(queue, ({ run }) => run === undefined, unitsPerGroupMax / 2);
      group.push(...queue.splice(0, unitsPerGroupMax - group.length));
      if (group.length > 0) await commitGroup(group);
      if (queue.length === 0) await erase(erasing.splice(0));
    }
    flushing = undefined;
  };

  const erase = async (waiting: readonly PromiseWithResolvers<void>[]): Promise<void> => {
    if (waiting.length === 0) return;
    try {
      await prepared;
      await connection.run`PRAGMA wal_checkpoint(TRUNCATE)`;
      loaded.forget();
      for (const { resolve } of waiting) resolve();
    } catch (error) {
      for (const { reject } of waiting) reject(toStoreError(error));
    }
  };

  const enqueue = (unit: Unit): void => {
    if (closed) {
      unit.reject(new StoreError("unavailable", "the store is closed"));
      return;
    }
    queue.push(unit);
    flushing ??= flush();
  };

  return {
    write: <T>(_scope: Scope, run: (tables: Tables) => Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        enqueue({ run, audit: [], resolve: (value) => resolve(value as T), reject });
      }),
    appendAudit: (audit) =>
      new Promise<void>((resolve, reject) => {
        enqueue({ run: undefined, audit, resolve: () => resolve(), reject });
      }),
    auditMemory: tables.auditEvents.memory,
    acceptMissing: tables.auditEvents.acceptMissing,
    eraseDeleted: () => {
      const done = Promise.withResolvers<void>();
      if (closed) done.resolve();
      else {
        erasing.push(done);
        flushing ??= flush();
      }
      return done.promise;
    },
    close: async () => {
      if (closed) return;
      closed = true;
      await flushing;
      await checkpointer.close();
      connection.close();
    },
  };
}

/** Removes at most `most` wanted items from a list and returns them, in order. */
function takeSome<Item>(items: Item[], isWanted: (item: Item) => boolean, most: number): Item[] {
  const taken: Item[] = [];
  const rest: Item[] = [];
  for (const item of items) (isWanted(item) && taken.length < most ? taken : rest).push(item);
  items.splice(0, items.length, ...rest);
  return taken;
}
