import type { Client, Transaction } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import { StoreError, toStoreError } from "./errors.ts";
import type { NewAuditEvent } from "./tables/audit-events.ts";
import { createTables, type Tables } from "./tables/index.ts";

type Unit = {
  readonly run: ((tables: Tables) => Promise<unknown>) | undefined;
  readonly audit: readonly NewAuditEvent[];
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
};

export type GroupWriter = {
  /** Runs the unit in a transaction; resolves when it is on disk, rejects with nothing of it written. */
  readonly write: <T>(run: (tables: Tables) => Promise<T>) => Promise<T>;
  /** Writes audit rows alone; resolves when they are on disk. */
  readonly appendAudit: (rows: readonly NewAuditEvent[]) => Promise<void>;
  /** Waits for what is queued; later writes are refused. */
  readonly drain: () => Promise<void>;
};

const unitsPerGroupMax = 256;
const lockWaitMs = [2, 5, 10, 20, 40, 80, 150, 300, 500, 800, 1200, 2000];

/**
 * Group commit: all writes that wait at the same time share one transaction and one flush to disk. A unit
 * that fails is rolled back to its own savepoint and takes no other with it; when the commit itself fails,
 * all fail. A unit must only await the tables it is given.
 * @param client used by this writer alone
 */
export function createGroupWriter(client: Client): GroupWriter {
  const queue: Unit[] = [];
  let current: Transaction | undefined;
  let flushing: Promise<void> | undefined;
  let closed = false;

  const tables = createTables(drizzle(transactionClient(() => current)));

  const flush = async (): Promise<void> => {
    // One turn of the event loop lets requests that arrived together join the group.
    await new Promise((resolve) => setImmediate(resolve));
    while (queue.length > 0) {
      const group = queue.splice(0, unitsPerGroupMax);
      try {
        current = await beginWithPatience(client);
        const settle = await runGroup(current, tables, group);
        await current.commit();
        settle();
      } catch (error) {
        const failure = toStoreError(error);
        for (const unit of group) unit.reject(failure);
      } finally {
        current?.close();
        current = undefined;
      }
    }
    flushing = undefined;
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
    write: <T>(run: (tables: Tables) => Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        enqueue({ run, audit: [], resolve: (value) => resolve(value as T), reject });
      }),
    appendAudit: (audit) =>
      new Promise<void>((resolve, reject) => {
        enqueue({ run: undefined, audit, resolve: () => resolve(), reject });
      }),
    drain: async () => {
      closed = true;
      await flushing;
    },
  };
}

/** Runs every unit and gives the function that settles them once the commit is durable. */
async function runGroup(
  transaction: Transaction,
  tables: Tables,
  group: readonly Unit[],
): Promise<() => void> {
  const settlements: (() => void)[] = [];
  const alone = group.length === 1;
  for (const unit of group) {
    if (unit.run === undefined) continue;
    if (!alone) await transaction.execute("SAVEPOINT unit");
    try {
      const value = await unit.run(tables);
      settlements.push(() => unit.resolve(value));
    } catch (error) {
      if (alone) throw error;
      await transaction.execute("ROLLBACK TO unit");
      settlements.push(() => unit.reject(toStoreError(error)));
    }
    if (!alone) await transaction.execute("RELEASE unit");
  }
  const audits = group.filter((unit) => unit.run === undefined);
  await tables.auditEvents.insertAll(audits.flatMap((unit) => unit.audit));
  for (const unit of audits) settlements.push(() => unit.resolve(undefined));
  return () => {
    for (const settle of settlements) settle();
  };
}

async function beginWithPatience(client: Client): Promise<Transaction> {
  for (const waitMs of lockWaitMs) {
    try {
      return await client.transaction("write");
    } catch (error) {
      const failure = toStoreError(error);
      if (!(failure instanceof StoreError) || failure.code !== "busy") throw failure;
      // The refused BEGIN stays unfinished on its connection, where no later commit would succeed.
      await client.reconnect();
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
  return client.transaction("write");
}

/**
 * A client whose statements run in the transaction that is open now, so that prepared queries made once serve
 * every transaction. The cast holds because drizzle's prepared queries call `execute` only.
 */
function transactionClient(current: () => Transaction | undefined): Client {
  return {
    execute: (statement: Parameters<Transaction["execute"]>[0]) => {
      const transaction = current();
      if (transaction === undefined) throw new StoreError("unavailable", "a write outside its transaction");
      return transaction.execute(statement);
    },
  } as unknown as Client;
}
