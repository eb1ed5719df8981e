import { expect, test } from "vitest";
import { followPages, type Page } from "./follow-pages.ts";

async function all(read: (mark: number | undefined) => Page<string, number>): Promise<string[]> {
  const found: string[] = [];
  for await (const items of followPages<string, number>(
    "acme",
    async (mark) => read(mark),
    (item) => item,
  )) {
    found.push(...items);
  }
  return found;
}
const lie = { code: "invalid_response", retryable: false };

test("every page is read, and an empty one between others is none that ends it", async () => {
  const pages: Page<string, number>[] = [
    { items: ["a", "b"], next: 1 },
    { items: [], next: 2 },
    { items: ["c"] },
  ];
  expect(await all((mark) => pages[mark ?? 0] ?? { items: [] })).toEqual(["a", "b", "c"]);
});

test("a list that gives the same mark again is not followed", async () => {
  let calls = 0;
  await expect(all(() => ({ items: [`item ${++calls}`], next: 7 }))).rejects.toMatchObject(lie);
  expect(calls).toBe(2);
});

test("a list that gives the same entries under ever new marks is not followed", async () => {
  let calls = 0;
  await expect(all(() => ({ items: ["item"], next: ++calls }))).rejects.toMatchObject(lie);
  expect(calls).toBe(2);
});

test("a list that goes on with nothing is not followed", async () => {
  let calls = 0;
  await expect(all(() => ({ items: [], next: ++calls }))).rejects.toMatchObject(lie);
  expect(calls).toBeLessThan(20);
});

test("a list that never ends is not followed for ever", async () => {
  let calls = 0;
  await expect(all(() => ({ items: [`item ${++calls}`], next: calls }))).rejects.toMatchObject(lie);
});
