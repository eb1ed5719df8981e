import { describe, expect, test } from "vitest";
import { createRateLimiter } from "./rate-limiter.ts";

const signal = new AbortController().signal;

describe("a rate limiter", () => {
  test("lets a burst through at once, then spreads the rest evenly", async () => {
    const waits: number[] = [];
    const take = createRateLimiter({
      provider: "example",
      perSecond: 10,
      burst: 4,
      now: () => 5000,
      wait: async (ms) => waits.push(Math.round(ms)),
    });
    await Promise.all(Array.from({ length: 7 }, () => take(signal)));
    expect(waits).toEqual([100, 200, 300]);
  });

  test("owes nothing after a pause, and saves up no more than a burst", async () => {
    const waits: number[] = [];
    let timeMs = 0;
    const take = createRateLimiter({
      provider: "example",
      perSecond: 2,
      burst: 2,
      now: () => timeMs,
      wait: async (ms) => waits.push(ms),
    });
    await Promise.all([take(signal), take(signal), take(signal)]);
    timeMs = 60_000;
    await Promise.all([take(signal), take(signal), take(signal)]);
    expect(waits).toEqual([500, 500]);
  });

  test("ends a wait with the signal, as a timeout that may be tried again", async () => {
    const take = createRateLimiter({ provider: "example", perSecond: 1, burst: 1 });
    const controller = new AbortController();
    await take(controller.signal);
    const waiting = take(controller.signal);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: "timeout", retryable: true });
    await expect(take(controller.signal)).rejects.toMatchObject({ code: "timeout" });
  });
});
