import { expect, test } from "vitest";
import { type WaitTools, waitUntil } from "./wait-until.ts";

const limits = { timeoutMs: 1_000, firstPauseMs: 10, longestPauseMs: 80 };

/** Time that passes only by sleeping. */
function fakeTools(random: () => number): WaitTools & { readonly pauses: number[] } {
  const pauses: number[] = [];
  let time = 5_000;
  return {
    pauses,
    random,
    now: () => time,
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      pauses.push(ms);
      time += ms;
    },
  };
}

const never = new AbortController().signal;

/** Says no so many times, then yes. */
function yesAfter(refusals: number) {
  let asked = 0;
  return Object.assign(async () => ++asked > refusals, { asked: () => asked });
}

test("a first yes needs no pause", async () => {
  const tools = fakeTools(() => 0);
  expect(await waitUntil(yesAfter(0), limits, never, tools)).toBe(true);
  expect(tools.pauses).toEqual([]);
});

test.each([
  [1, [10, 20, 40, 80, 80]],
  [0, [5, 10, 20, 40, 40]],
  [0.5, [7.5, 15, 30, 60, 60]],
])("pauses double up to the longest, spread by chance (%d)", async (random, pauses) => {
  const tools = fakeTools(() => random);
  expect(await waitUntil(yesAfter(5), limits, never, tools)).toBe(true);
  expect(tools.pauses).toEqual(pauses);
});

test("gives up when the time is up, and asks once more at its very end", async () => {
  const tools = fakeTools(() => 1);
  const ask = yesAfter(1_000);
  expect(await waitUntil(ask, limits, never, tools)).toBe(false);
  expect(tools.pauses.reduce((sum, ms) => sum + ms, 0)).toBe(limits.timeoutMs);
  expect(ask.asked()).toBe(tools.pauses.length + 1);
});

test("without any time it still asks once", async () => {
  expect(
    await waitUntil(
      yesAfter(0),
      { ...limits, timeoutMs: 0 },
      never,
      fakeTools(() => 0),
    ),
  ).toBe(true);
});

test("ends with its signal's reason, without asking again", async () => {
  const controller = new AbortController();
  const ask = async () => {
    controller.abort(new Error("enough"));
    return false;
  };
  await expect(
    waitUntil(
      ask,
      limits,
      controller.signal,
      fakeTools(() => 0),
    ),
  ).rejects.toThrow("enough");
});

test("a question that fails ends the wait", async () => {
  const fails = () => Promise.reject(new Error("broken"));
  await expect(
    waitUntil(
      fails,
      limits,
      never,
      fakeTools(() => 0),
    ),
  ).rejects.toThrow("broken");
});
