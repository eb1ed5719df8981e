import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { callsThrough } from "../calls/define-calls.ts";
import { everyItem, pageAfter } from "../calls/every-item.ts";
import { readLink, writeLink } from "../calls/link-pages.ts";
import { openCalls } from "../calls/open-calls.ts";
import type { RunningEmulator } from "../emulator.ts";
import { testContext } from "../testing/index.ts";
import { pageOf, Refused, type StandIn, takeOut } from "./stand-in.ts";
import { startStandIn } from "./start-stand-in.ts";

const { get, post, del } = callsThrough();
const thing = z.object({ id: z.string(), name: z.string() });
const calls = {
  make: post("/things", {
    doc: "Things",
    body: z.strictObject({ name: z.string().min(1) }),
    answer: thing,
    status: 201,
  }),
  list: get("/things", {
    doc: "Things",
    query: z.object({ after: z.string().optional() }),
    answer: z.object({ data: z.array(thing), has_more: z.boolean() }),
  }),
  remove: del("/things/{id}", { doc: "Things", answer: z.unknown(), status: 204 }),
  lie: get("/lie", { doc: "Lies", answer: thing }),
  welcome: get("/welcome", { doc: "Welcome", answer: z.object({ owner: z.string() }) }),
};
const account = z.object({ key: z.string(), reader: z.string(), things: z.array(thing) });
let made = 0;
const standIn: StandIn<typeof calls, z.output<typeof account>> = {
  id: "acme",
  calls,
  account,
  createAccount: (mode, of) => ({ key: `${of}-${mode}-${made++}`, reader: `reader-${made}`, things: [] }),
  keysOf: ({ key, reader }) => [key, reader],
  refuse: (request, { method }) =>
    request.key === request.account.reader && method !== "GET" ? new Refused(403) : undefined,
  errorBody: (status, facts) => ({ problem: status, ...facts }),
  badRequest: 422,
  open: ["welcome"],
  idempotent: true,
  answers: {
    make: ({ account: { things }, body: { name } }) => {
      if (things.some((one) => one.name === name)) return new Refused(409);
      things.push({ id: `id-${things.length}-${name}`, name });
      return things.at(-1);
    },
    list: ({ account: { things }, query: { after } }) => pageOf(things, 2, after),
    remove: ({ account: { things }, params }) =>
      takeOut(things, params.id) === undefined ? new Refused(404) : undefined,
    lie: () => ({ id: 7 }),
    welcome: ({ account: { key } }) => ({ owner: key }),
  },
  orgFields: ({ key }) => ({ key }),
  userEnv: { good: ({ key }) => ({ KEY: key }), "read-only": ({ reader }) => ({ KEY: reader }) },
};

let folder: string;
let running: RunningEmulator;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyloan-stand-in-"));
  running = await startStandIn(standIn)({ stateDirectory: folder, port: 0 });
});
afterAll(async () => {
  await running.close();
  await rm(folder, { recursive: true });
});
const open = (key = running.orgFields.key) =>
  openCalls(
    { provider: "acme", baseUrl: "https://none.example" },
    calls,
    testContext({ baseUrl: running.baseUrl }),
    key,
  );
const ask = (path: string, init: RequestInit = {}) =>
  fetch(new URL(path, running.baseUrl), {
    ...init,
    headers: { authorization: `Bearer ${running.orgFields.key}`, ...init.headers },
  });

describe("a stand-in made of a table of calls", () => {
  test("answers what the table says, to a client made of it", async () => {
    const created = await open().make({ body: { name: "first" } });
    expect(created).toEqual({ id: "id-0-first", name: "first" });
    await open().remove({ params: { id: created.id } });
    await expect(open().remove({ params: { id: created.id } })).rejects.toMatchObject({ code: "not_found" });
  });

  test("refuses keys that it does not know, and what a key may not do, in the provider's words", async () => {
    await expect(open("no").list({ query: {} })).rejects.toMatchObject({ code: "unauthorized" });
    const { KEY: reader } = await running.createUserEnv({ kind: "read-only" });
    expect(await open(reader).list({ query: {} })).toEqual({ data: [], has_more: false });
    await expect(open(reader).make({ body: { name: "x" } })).rejects.toMatchObject({ code: "forbidden" });
    const refusal = await ask("/things", { headers: { authorization: "Bearer no" } });
    expect(await refusal.json()).toEqual({ problem: 401, key: "no" });
    await expect(running.createUserEnv({ kind: "wide" })).rejects.toThrow("wide");
  });

  test("names what is wrong with a body", async () => {
    const wrong = await ask("/things", { method: "POST", body: '{"name":"x","colour":1}' });
    expect([wrong.status, await wrong.json()]).toEqual([
      422,
      { problem: 422, param: "colour", code: "unknown" },
    ]);
  });

  test("serves open calls for the org, and every account by its own key", async () => {
    expect(await open("no").welcome()).toEqual({ owner: running.orgFields.key });
    const { KEY: user } = await running.createUserEnv();
    expect(await open(user).welcome()).toEqual({ owner: user });
  });

  test("fails rather than answer what the table does not say", async () => {
    expect((await ask("/lie")).status).toBe(500);
  });

  test("gives the first answer of an idempotency key again, and refuses another request under it", async () => {
    const send = (name: string) =>
      ask("/things", {
        method: "POST",
        body: JSON.stringify({ name }),
        headers: { "idempotency-key": "k1" },
      });
    const [first, again, other] = [await send("once"), await send("once"), await send("twice")];
    expect([first.status, again.status, other.status]).toEqual([201, 201, 400]);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(await again.json()).toEqual(await first.json());
    expect((await send("x".repeat(3))).status).toBe(400);
  });

  test("lists in pages, which the client reads to their end", async () => {
    for (const name of ["a", "b", "c", "d"]) await open().make({ body: { name } });
    const names: string[] = [];
    const pages = (after: string | undefined) => open().list({ query: { after } });
    for await (const { name } of everyItem("acme", async (after) => pageAfter("acme", await pages(after))))
      names.push(name);
    expect(names.slice(-4)).toEqual(["a", "b", "c", "d"]);
  });

  test("keeps its accounts over a restart, readable by its owner only", async () => {
    const { KEY: user } = await running.createUserEnv();
    await running.close();
    running = await startStandIn(standIn)({ stateDirectory: folder, port: running.port });
    expect(await open(user).welcome()).toEqual({ owner: user });
    expect((await stat(join(folder, "acme.json"))).mode & 0o777).toBe(0o600);
  });
});

test("a page by `Link` says where the next one starts, and a last one that there is none", () => {
  const url = new URL("http://127.0.0.1/things?cursor=a");
  const headersOf = (page: { items: string[]; next?: string }) => new Headers({ link: writeLink(page, url) });
  expect(readLink(["x"], headersOf({ items: ["x"], next: "b" }))).toEqual({ items: ["x"], next: "b" });
  expect(readLink(["y"], headersOf({ items: ["y"] }))).toEqual({ items: ["y"] });
  expect(readLink(["z"], new Headers())).toEqual({ items: ["z"] });
});

describe("a list that", () => {
  const read = async (pages: (cursor: string | undefined) => { items: number[]; next?: string }) => {
    const items: number[] = [];
    for await (const item of everyItem("acme", async (cursor) => pages(cursor))) items.push(item);
    return items;
  };

  test.each([
    ["turns in a circle", () => ({ items: [1], next: "same" })],
    ["does not end", (cursor: string | undefined) => ({ items: [1], next: `${cursor}x` })],
  ])("%s is no answer", async (_how, pages) => {
    await expect(read(pages)).rejects.toMatchObject({ code: "invalid_response" });
  });

  test("reports that an empty page has more pages after it is no answer", () => {
    expect(() => pageAfter("acme", { data: [], has_more: true })).toThrow("more pages after it");
  });
});

test("a call's wrong body, missing part or unknown name is a type error", () => {
  const typed = () => {
    // @ts-expect-error a name is a text
    open().make({ body: { name: 7 } });
    // @ts-expect-error the id is missing
    open().remove({ params: {} });
    // @ts-expect-error there is no such call
    open().steal();
  };
  expect(typed).toBeTypeOf("function");
});
