import { type ListedResource, secretValues } from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openEmulatorTarget, orgCredential, testContext } from "../kit/testing/index.ts";
import { startEmulator } from "./emulator.ts";
import { turso } from "./index.ts";
import { listOurs } from "./list-ours.ts";

let target: Awaited<ReturnType<typeof openEmulatorTarget>>;
beforeAll(async () => {
  target = await openEmulatorTarget(startEmulator);
});
afterAll(() => target?.close());
beforeEach(() => target.emulator.faults.clear());

const listAll = async (fetch?: typeof globalThis.fetch) => {
  const context = testContext({ baseUrl: target.baseUrl, ...(fetch === undefined ? {} : { fetch }) });
  const org = await orgCredential(turso, context, secretValues(target.emulator.orgFields));
  const found: ListedResource[] = [];
  for await (const one of listOurs(context, org)) found.push(one);
  return found;
};
const create = (name: string, group = "default") =>
  fetch(`${target.baseUrl}/v1/organizations/keyloan-dev/databases`, {
    method: "POST",
    headers: { authorization: `Bearer ${target.emulator.orgFields.token}` },
    body: JSON.stringify({ name, group }),
  });
const ours = (number: number) => `kl-${String(number).padStart(20, "0")}`;

test("names that only look like ours, and ours in another group, are other people's", async () => {
  const foreign = [
    "notes",
    "kl-short",
    `kl-${"l".repeat(20)}`,
    `kl-${"0".repeat(21)}`,
    `xkl-${"0".repeat(20)}`,
  ];
  await Promise.all([...foreign.map((name) => create(name)), create(ours(999), "other"), create(ours(1))]);
  expect(await listAll()).toEqual([
    { suffix: "00000000000000000001", handle: { database: ours(1) }, name: ours(1) },
  ]);
});

test("a listing of many pages is read to its end", async () => {
  const pages: string[] = [];
  const small: typeof fetch = (input, init) => {
    const url = new URL(String(input));
    if (url.pathname.endsWith("/databases")) {
      url.searchParams.set("limit", "2");
      pages.push(url.search);
    }
    return fetch(url, init);
  };
  await Promise.all([2, 3, 4, 5, 6].map((number) => create(ours(number))));
  const names = (await listAll(small)).map(({ name }) => name);
  expect(names).toEqual([1, 2, 3, 4, 5, 6].map(ours));
  expect(pages.length).toBeGreaterThan(3);
});

describe("a listing that lies ends as such:", () => {
  const answering = (answer: (page: number) => unknown): typeof fetch => {
    let page = 0;
    return async () => Response.json(answer(page++));
  };
  const one = (number: number) => ({ Name: ours(number), group: "default" });
  test.each([
    ["no list", () => ({})],
    ["names that are none", () => ({ databases: [{ Name: 7, group: "default" }] })],
    ["no groups", () => ({ databases: [{ Name: ours(1) }] })],
    [
      "one database on every page",
      (page: number) => ({ databases: [one(1)], pagination: { next: `${page}` } }),
    ],
    ["a page that leads to itself", () => ({ databases: [], pagination: { next: "again" } })],
    [
      "pages in a circle",
      (page: number) => ({ databases: [one(page)], pagination: { next: `${page % 2}` } }),
    ],
    ["pages without an end", (page: number) => ({ databases: [one(page)], pagination: { next: `${page}` } })],
  ])("%s", async (_what, answer) => {
    await expect(listAll(answering(answer))).rejects.toMatchObject({ code: "invalid_response" });
  });
});
