import { existsSync } from "node:fs";
import { mkdir, readdir, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Rehearsal } from "@keyloan/contract";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { openPage, type TestPage } from "./testing/open-page.ts";

let broker: TestBroker;

beforeAll(async () => {
  broker = await createTestBroker({ emulators: ["clerk"] });
  await broker.putOrgKeys();
});
afterAll(() => broker.close());

const copies = () => readdir(join(broker.dataDirectory, "rehearsals")).catch(() => []);

async function swappedBuild(): Promise<{ readonly id: string; readonly page: TestPage }> {
  const { id } = await broker.createBuild({ connectors: ["clerk"] });
  const page = await openPage(broker, id);
  const values = await (broker.emulators.get("clerk") ?? expect.fail()).createUserEnv();
  expect((await page.save("clerk", values)).status).toBe(200);
  const body = { expectedVersion: await page.version() };
  expect((await page.call("POST", "/v1/settings/swap", body)).status).toBe(200);
  return { id, page };
}

const rehearse = async () => (await broker.call("POST", "/v1/rollback/rehearsals")).body as Rehearsal;

it("rehearses on a copy: every swapped build goes back there, and here nothing changes", async () => {
  const { id, page } = await swappedBuild();
  const before = await page.settings();
  const rehearsal = await rehearse();
  expect(rehearsal).toMatchObject({ ok: true, builds: [{ id, ok: true }] });
  expect(rehearsal.steps.map(({ name }) => name)).toEqual([
    "copy",
    "open",
    "integrity",
    "data_keys",
    "revert",
    "clean_up",
  ]);
  expect(await page.settings()).toEqual(before);
  expect(await copies()).toEqual([]);
});

it("tells which build cannot go back", async () => {
  const { id } = await swappedBuild();
  const { store } = broker.running().deps;
  const [lease] = await store.read.leases.listByBuild(id);
  await store.write([], (tables) =>
    tables.leases.update(lease?.id ?? "", ["active"], { state: "releasing", env: null }),
  );
  const rehearsal = await rehearse();
  expect(rehearsal.ok).toBe(false);
  expect(rehearsal.builds.find((build) => build.id === id)).toMatchObject({ ok: false });
  expect(rehearsal.builds.filter(({ ok }) => ok)).not.toHaveLength(0);
});

it("tells when a data key does not open, and removes the copy all the same", async () => {
  const other = await createTestBroker({ emulators: [] });
  try {
    const { store } = other.running().deps;
    const row = (await store.read.dataKeys.listOtherThan("none", "", 1))[0] ?? expect.fail();
    await store.write([], (tables) => tables.dataKeys.rewrap({ ...row, kid: "rk-lost" }, row));
    const rehearsal = (await other.call("POST", "/v1/rollback/rehearsals")).body as Rehearsal;
    expect(rehearsal.ok).toBe(false);
    expect(rehearsal.steps.find(({ name }) => name === "data_keys")).toMatchObject({ ok: false });
    expect(await readdir(join(other.dataDirectory, "rehearsals"))).toEqual([]);
  } finally {
    await other.close();
  }
});

it("goes back for real when an operator says so", async () => {
  const { id, page } = await swappedBuild();
  const body = { reason: "Your sign-in service is down." };
  const answer = await broker.call("POST", `/v1/builds/${id}/revert`, { body });
  expect(answer.status).toBe(200);
  expect((await page.settings()).bindings.map(({ source }) => source)).toEqual(["org"]);
  const again = await broker.call("POST", `/v1/builds/${id}/revert`, { body });
  expect(again.status).toBe(409);
});

it("removes the copy of a broker that died in the middle, and not one of now", async () => {
  const old = join(broker.dataDirectory, "rehearsals", "copy-old");
  const fresh = join(broker.dataDirectory, "rehearsals", "copy-fresh");
  for (const folder of [old, fresh]) await mkdir(folder, { recursive: true });
  const long = Date.now() / 1000 - 7200;
  await utimes(old, long, long);
  await broker.restart();
  expect([existsSync(old), existsSync(fresh)]).toEqual([false, true]);
});
