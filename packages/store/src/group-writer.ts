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
 * The ids that a unit of work reads in order to decide, in any order; empty when it decides on nothing. Of two units
 * with an id in common, one sees what the other has written. All units of this engine follow one another, so that it
 * need not look.
 */
export type Scope = readonly string[];

export type GroupWriter = {
  /**
   * Runs the unit in a transaction; resolves when it is on disk, rejects with nothing of it written.
   * @param scope what the unit decides on
   */
  readonly write: <T>(scope: Scope, run: (tables: Tables) => Promise<T>) => Promise<T>;
  /** Writes audit rows alone; resolves when they are on disk. */
  readonly appendAudit: (rows: readonly NewAuditEvent[]) => Promise<void>;
  readonly auditMemory: () => Readonly<AuditMemory>;
  /** What the audit tells to be missing is missed no longer. */
  readonly acceptMissing: (told: MissingRows) => void;
  /** Writes the log back and empties it, between two groups. */
  readonly eraseDeleted: () => Promise<void>;
  /** Waits for what is queued and releases the file; later writes are refused. */
  readonly close: () => Promise<void>;
};

/** Told of the requests whose audit rows are on disk, before their writes resolve. */
export type OnAudited = (requestIds: readonly string[]) => void;

const unitsPerGroupMax = 256;
const lockWaitMs = 5_000;

/**
 * Group commit: all writes that wait at the same time share one transaction and one flush to disk. A unit
 * that fails is rolled back to its own savepoint and takes no other with it; when the commit itself fails,
 * all fail. A unit must only await the tables it is given. Waiting for the lock and for the disk happens on
 * another thread, and what arrives meanwhile makes the next group. While the file is not built as the migrations make
 * it, the audit rows of a group are read back before they are taken for written.
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
  // Commits copy the log themselves only from 16,000 pages on: when nobody else has come to the end of it.
  const prepared = connection.run`PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 16000`;
  const checkpointer = createCheckpointer(path);

  const commitGroup = async (group: readonly Unit[]): Promise<void> => {
    let taken = group;
    try {
      await prepared;
      await connection.run`BEGIN IMMEDIATE`;
      inGroup = true;
      // Nobody else can write from here on: what is parsed now is what the whole group runs by.
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
      // Audit rows alone cost little and a request waits for each, so they go before what may take long.
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

/** Takes at most so many items of a kind out of a list, in order. */
function takeSome<Item>(items: Item[], isWanted: (item: Item) => boolean, most: number): Item[] {
  const taken: Item[] = [];
  const rest: Item[] = [];
  for (const item of items) (isWanted(item) && taken.length < most ? taken : rest).push(item);
  items.splice(0, items.length, ...rest);
  return taken;
}
