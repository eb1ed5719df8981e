import { expect, test } from "vitest";
import { createSlots } from "./slots.ts";

const { signal } = new AbortController();

test("no more than that many run at once, and all of them run", async () => {
  const slots = createSlots(3);
  let running = 0;
  let most = 0;
  const work = async (value: number) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise(setImmediate);
    running -= 1;
    return value;
  };
  const results = Array.from({ length: 20 }, (_, index) => slots.run(signal, () => work(index)));
  expect(await Promise.all(results)).toEqual(Array.from({ length: 20 }, (_, index) => index));
  expect(most).toBe(3);
});

test("work that fails gives its slot back", async () => {
  const slots = createSlots(1);
  await expect(slots.run(signal, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  await expect(slots.run(signal, async () => "next")).resolves.toBe("next");
});

test("whoever stops waiting takes no slot", async () => {
  const slots = createSlots(1);
  let finish = () => {};
  const first = slots.run(signal, () => new Promise<void>((resolve) => (finish = resolve)));
  const ending = new AbortController();
  const second = slots.run(ending.signal, async () => "never");
  const third = slots.run(signal, async () => "third");
  ending.abort(new Error("enough"));
  await expect(second).rejects.toThrow("enough");
  finish();
  await first;
  await expect(third).resolves.toBe("third");
  await expect(slots.run(ending.signal, async () => "never")).rejects.toThrow("enough");
});
