import { type Connection, openConnection } from "./connection.ts";

/** After this many commits another connection copies the log into the file, so that no commit has to do it. */
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
      // If one fails, the next one catches up, or a commit does once the log has grown long.
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
