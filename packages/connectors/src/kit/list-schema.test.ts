import { expect, test } from "vitest";
import * as z from "zod";
import { listOf } from "./list-schema.ts";

const asked: unknown[] = [];
const item = z.unknown().refine((value) => {
  asked.push(value);
  return typeof value === "number";
});

test("a list is judged up to its first wrong item, however many there are", () => {
  asked.length = 0;
  expect(listOf(item).safeParse([1, 2, "x", ...Array(1_000).fill("y")]).success).toBe(false);
  expect(asked).toEqual([1, 2, "x"]);
});

test("a list of right items is given as its schema makes them", () => {
  const schema = z.object({ all: listOf(z.object({ id: z.string() })) });
  expect(schema.parse({ all: [{ id: "a", more: 1 }, { id: "b" }] })).toEqual({
    all: [{ id: "a" }, { id: "b" }],
  });
  expect(schema.safeParse({ all: "a" }).success).toBe(false);
});
