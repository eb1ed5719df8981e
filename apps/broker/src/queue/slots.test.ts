import { expect, test } from "vitest";
import { createFairSlots, createSlots } from "./slots.ts";

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

test("fair slots run one of a key at a time and let others go first, and that many in all", async () => {
  const slots = createFairSlots(2);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const start = (key: string, name: string) =>
    slots
      .hold(key, signal, () => {
        begun.push(name);
        return new Promise<void>((resolve) => ends.set(name, resolve));
      })
      .then(({ release }) => release());
  const runs = [start("a", "a1"), start("a", "a2"), start("b", "b1"), start("c", "c1")];
  await new Promise(setImmediate);
  expect(begun).toEqual(["a1", "b1"]);
  ends.get("b1")?.();
  await runs[2];
  await new Promise(setImmediate);
  expect(begun).toEqual(["a1", "b1", "c1"]);
  ends.get("a1")?.();
  await runs[0];
  await new Promise(setImmediate);
  expect(begun.at(-1)).toBe("a2");
  ends.get("a2")?.();
  ends.get("c1")?.();
  await Promise.all(runs);
});

test("a key whose work failed can be used again", async () => {
  const slots = createFairSlots(1);
  await expect(slots.hold("a", signal, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  await expect(slots.hold("a", signal, async () => "next")).resolves.toMatchObject({ value: "next" });
});

test("what fair slots gave keeps its key from the next until it is released, and nobody else", async () => {
  const slots = createFairSlots(1);
  const first = await slots.hold("a", signal, async () => "first");
  const begun: string[] = [];
  const second = slots.hold("a", signal, async () => begun.push("second"));
  await expect(slots.hold("b", signal, async () => "other")).resolves.toMatchObject({ value: "other" });
  expect(begun).toEqual([]);
  const givenUp = new AbortController();
  const third = slots.hold("a", givenUp.signal, async () => begun.push("third"));
  givenUp.abort(new Error("enough"));
  await expect(third).rejects.toThrow("enough");
  first.release();
  await second;
  expect(begun).toEqual(["second"]);
});
