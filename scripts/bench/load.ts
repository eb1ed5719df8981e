import { startChild } from "@keyloan/test-kit";
import type { LoadOrder, LoadResult } from "./load-client.ts";

export type LoadGenerator = {
  /** @throws Error when a request failed or was not answered with 200 */
  readonly run: (order: LoadOrder) => Promise<LoadResult>;
  readonly stop: () => Promise<void>;
};

/** Load from a process of its own, so that it shares no thread with the server. */
export function startLoadGenerator(): LoadGenerator {
  const child = startChild(new URL("./load-process.ts", import.meta.url));
  return {
    run: async (order) => {
      const answer = child.next<{ result?: LoadResult; error?: string }>();
      child.send(order);
      const { result, error } = await answer;
      if (result === undefined) throw new Error(`The load was cut short: ${error}`);
      if (result.failures > 0) throw new Error(`${result.failures} requests were not answered with 200.`);
      return result;
    },
    stop: child.stop,
  };
}
