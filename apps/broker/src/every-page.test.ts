import { expect, it } from "vitest";
import { everyPage } from "./every-page.ts";

const ids = ["a", "b", "c", "d", "e"];
const collect = async (read: (after: { id: string } | undefined) => string[]) => {
  const pages: string[][] = [];
  const list = async (after: { id: string } | undefined) => read(after).map((id) => ({ id }));
  for await (const page of everyPage(list)) pages.push(page.map(({ id }) => id));
  return pages;
};

it("every row is in one page, in order", async () => {
  const after = (row: { id: string } | undefined) => (row === undefined ? 0 : ids.indexOf(row.id) + 1);
  expect(await collect((row) => ids.slice(after(row), after(row) + 2))).toEqual([
    ["a", "b"],
    ["c", "d"],
    ["e"],
  ]);
});

it("pages end where a row leads back to an earlier one", async () => {
  expect(await collect((row) => (row?.id === "b" ? ["c", "d"] : ["a", "b"]))).toEqual([
    ["a", "b"],
    ["c", "d"],
  ]);
});
