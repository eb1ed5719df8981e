import { setTimeout as delay } from "node:timers/promises";
import { type SqldProcess, startSqldProcess } from "./sqld-process.ts";
import type { SqldWall } from "./sqld-wall.ts";

/** A libSQL server that is started again when it ends by itself. */
export type KeptSqld = {
  /** The process that answers now, or the last one while the next is being started. */
  readonly process: () => SqldProcess;
  /** The process that answers now; undefined while there is none. */
  readonly running: () => SqldProcess | undefined;
  /** Waits for a start that is under way; undefined if the server will not be started again. */
  readonly whenRunning: () => Promise<SqldProcess | undefined>;
  /** Settles when it has ended and is not started again. */
  readonly exited: Promise<void>;
  readonly stop: () => Promise<void>;
};

const delayMinMs = 50;
const delayMaxMs = 5_000;
/** A server that ran for this long did not end because of its start: the next wait is the shortest again. */
const settledMs = 30_000;
const failedStartsMax = 5;

/**
 * Starts the server, and starts it again on the same folder whenever it ends: the SQL of one client can end it for
 * all. The wait between starts doubles while it keeps ending soon.
 * @throws Error in one sentence when the first start fails
 */
export async function keepSqld(
  dataDirectory: string,
  log: (line: string) => void,
  walls?: readonly SqldWall[],
): Promise<KeptSqld> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const ways = walls === undefined ? {} : { ways: [...walls, undefined] };
  let latest = await startSqldProcess({ dataDirectory, log, signal, ...ways });
  let running: SqldProcess | undefined = latest;
  let starting: Promise<SqldProcess | undefined> = Promise.resolve(latest);

  const startAgain = async (wait: number): Promise<SqldProcess | undefined> => {
    let waitMs = wait;
    for (let failed = 0; !signal.aborted && failed < failedStartsMax; failed++) {
      await delay(waitMs, undefined, { signal }).catch(() => {});
      try {
        // Start behind the same wall or not at all: a server that saw no other files must never come back seeing them.
        latest = await startSqldProcess({ dataDirectory, log, signal, ways: [latest.wall] });
        running = latest;
        return latest;
      } catch (error) {
        if (!signal.aborted) log(error instanceof Error ? error.message : "the libSQL server does not start");
        waitMs = Math.min(waitMs * 2, delayMaxMs);
      }
    }
    return undefined;
  };

  const keep = async () => {
    let waitMs = delayMinMs;
    for (let current: SqldProcess | undefined = latest; current !== undefined; current = await starting) {
      const since = performance.now();
      await current.exited;
      running = undefined;
      if (signal.aborted) return;
      waitMs = performance.now() - since > settledMs ? delayMinMs : waitMs;
      log("the libSQL server has ended and is started again");
      starting = startAgain(waitMs);
      waitMs = Math.min(waitMs * 2, delayMaxMs);
    }
    if (!signal.aborted) log("the libSQL server has ended for good: start again");
  };
  const exited = keep();

  return {
    process: () => latest,
    running: () => running,
    whenRunning: async () => running ?? (await starting),
    exited,
    stop: async () => {
      stopping.abort();
      await starting;
      await latest.stop();
      await exited;
    },
  };
}
