import { type Connection, openConnection } from "./connection.ts";
import { StoreError, toStoreError } from "./errors.ts";

const lockWaitMs = 5_000;

/** Copies the store's file as of one moment; the copy contains nothing that was deleted. */
export async function copyStore(from: string, to: string): Promise<void> {
  await onOwnConnection(from, ({ copyTo }) => copyTo(to));
}

/** Reads every page and every index. @throws StoreError `corrupt` */
export async function checkIntegrity(path: string): Promise<void> {
  // The check returns problems as rows and does not fail; inserting them into this table makes it fail.
  await onOwnConnection(path, async ({ run }) => {
    await run`CREATE TEMP TABLE integrity (answer TEXT CHECK (answer = 'ok'))`;
    await run`INSERT INTO temp.integrity SELECT integrity_check FROM pragma_integrity_check`.catch(() => {
      throw new StoreError("corrupt", "the store's file is damaged: restore it from a backup");
    });
  });
}

/** Runs work that takes long on a connection of its own, so that no other query waits for it. */
async function onOwnConnection(path: string, work: (connection: Connection) => Promise<void>): Promise<void> {
  const connection = openConnection(path, { lockWaitMs });
  try {
    await work(connection);
  } catch (error) {
    throw toStoreError(error);
  } finally {
    connection.close();
  }
}
