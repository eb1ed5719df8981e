import { type Connection, openConnection } from "./connection.ts";

/** So often the log is copied into the file on another connection, so that no commit has to stop for it. */
const commitsPerCheckpoint = 40;

/** Copies the log into the file now and then, without stopping readers or writers. */
export function createCheckpointer(path: string) {
  let connection: Connection | undefined;
  let commits = 0;
  let running: Promise<void> | undefined;
  const checkpoint = async (): Promise<void> => {
    connection ??= openConnection(path, { lockWaitMs: 0 });
    await connection.run`PRAGMA wal_checkpoint(PASSIVE)`;
  };
  return {
    noteCommit: (): void => {
      commits++;
      if (commits < commitsPerCheckpoint || running !== undefined) return;
      commits = 0;
      // One that fails is made up for by the next, or by a commit when the log has grown long.
      running = checkpoint()
        .catch(() => undefined)
        .finally(() => {
          running = undefined;
        });
    },
    close: async (): Promise<void> => {
      await running;
      connection?.close();
    },
  };
}
