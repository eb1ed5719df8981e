import { setTimeout as delay } from "node:timers/promises";
import { type ConnectorContext, ProviderError } from "@keyloan/contract";

/** Between looks, in milliseconds: rotating brings "brief downtime" (Turso documentation, token rotation). */
const waitsMs = [50, 100, 250, 500, 1000, 2000, 4000, 8000] as const;

/**
 * Waits until a database serves new values.
 * @throws ProviderError `unavailable` when it does not in the end, `timeout` when the signal ends the wait
 */
export async function waitUntilReady(
  { signal }: Pick<ConnectorContext, "signal">,
  ready: () => Promise<boolean>,
  wait: (ms: number) => Promise<unknown> = (ms) => delay(ms, undefined, { signal }),
): Promise<void> {
  for (const waitMs of waitsMs) {
    if (await ready()) return;
    await wait(waitMs).catch(() => {
      throw new ProviderError("turso", "timeout", "did not serve a new token in time");
    });
  }
  if (await ready()) return;
  throw new ProviderError("turso", "unavailable", "does not serve a token that it has just made");
}
