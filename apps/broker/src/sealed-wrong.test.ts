import { connectors as allConnectors } from "@keyloan/connectors";
import type {
  BuildView,
  Connector,
  DatabaseList,
  ErrorEnvelope,
  LeaseView,
  RotationView,
} from "@keyloan/contract";
import type { DataKeyRow } from "@keyloan/store";
import { afterEach, describe, expect, it } from "vitest";
import {
  type Answer,
  createTestBroker,
  type TestBroker,
  type TestBrokerOptions,
} from "./testing/create-test-broker.ts";
import { finishWork } from "./testing/finish-work.ts";
import { createMemoryConnectors } from "./testing/memory-connectors.ts";

const patiently = { timeout: 15_000 };
let broker: TestBroker;
let close: () => Promise<void>;
afterEach(async () => {
  await broker.close();
  await close();
});

const open = async (options: TestBrokerOptions, alsoClose = () => {}) => {
  broker = await createTestBroker(options);
  close = async () => alsoClose();
  await broker.putOrgKeys();
};
const deps = () => broker.running().deps;
const store = () => deps().store;
const env = (id: string) => broker.call("GET", `/v1/builds/${id}/env`);
const error = (answer: Answer) => (answer.body as ErrorEnvelope).error;
const dataKeyOf = async (id: string) => (await store().read.dataKeys.findByOwner(id)) ?? expect.fail();
const wrapAs = (row: DataKeyRow, wrapped: string) =>
  store().write([], async (tables) =>
    tables.dataKeys.rewrap({ ...row, wrapped }, (await tables.dataKeys.findByOwner(row.ownerId)) ?? row),
  );
const leaseOf = async (build: BuildView) =>
  (await store().read.leases.listByBuild(build.id))[0] ?? expect.fail();
const expectRefused = async (id: string, ...values: readonly string[]) => {
  const answer = await env(id);
  expect([answer.status, error(answer).code]).toEqual([503, "unavailable"]);
  expect(error(answer).message).toMatch(/does not open with its key/);
  expect(error(answer).remedy).toMatch(/KEYLOAN_ROOT_KEY.*restore it from a backup\.$/);
  for (const value of values) expect(answer.text + broker.logs.join("\n")).not.toContain(value);
};

describe("what is sealed for another row does not open, and says so:", () => {
  it("the values of another build", async () => {
    await open({ emulators: [] });
    const [mine, other] = [
      await broker.createBuild({ connectors: ["app-secrets"] }),
      await broker.createBuild({ connectors: ["app-secrets"] }),
    ];
    const values = Object.values(await broker.readEnv(other.id));
    const [lease, moved] = [await leaseOf(mine), await leaseOf(other)];
    await store().write([], (tables) => tables.leases.update(lease.id, ["active"], { env: moved.env }));
    await expectRefused(mine.id, ...values);
    expect((await env(other.id)).status).toBe(200);
    await store().write([], (tables) => tables.leases.update(lease.id, ["active"], { env: lease.env }));
    expect((await env(mine.id)).status).toBe(200);
  });

  it("the data key of another build", async () => {
    await open({ emulators: [] });
    const [mine, other] = [
      await broker.createBuild({ connectors: ["app-secrets"] }),
      await broker.createBuild({ connectors: ["app-secrets"] }),
    ];
    const key = await dataKeyOf(mine.id);
    await wrapAs(key, (await dataKeyOf(other.id)).wrapped);
    await expectRefused(mine.id);
    await wrapAs(key, key.wrapped);
    expect((await env(mine.id)).status).toBe(200);
  });

  it("an archive, with the data key of another build: it stays, and restores with its own", async () => {
    const memory = createMemoryConnectors();
    await open({ emulators: [], connectors: memory.connectors }, memory.databases.close);
    const create = () => broker.createBuild({ connectors: ["memory-database"] });
    const [{ id }, other] = [await create(), await create()];
    const name = (await broker.readEnv(id)).MEMORY_DATABASE_NAME ?? "";
    memory.write(name, "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)");
    const call = (step: string) => broker.call("POST", `/v1/builds/${id}/databases/memory-database/${step}`);
    const show = async () =>
      ((await broker.call("GET", `/v1/builds/${id}/databases`)).body as DatabaseList).databases[0];
    const key = await dataKeyOf(id);
    const wrong = (await dataKeyOf(other.id)).wrapped;

    await wrapAs(key, wrong);
    await call("archive");
    await expect.poll(async () => (await show())?.error?.code, patiently).toBe("unavailable");
    expect((await show())?.error?.message).toMatch(/does not open with its key/);
    await wrapAs(key, key.wrapped);
    expect((await env(id)).status).toBe(200);
    expect(memory.databases.has(name)).toBe(true);
    broker.advance(3_600_000);
    await finishWork(deps(), id);
    await expect.poll(async () => (await show())?.state, patiently).toBe("archived");

    await wrapAs(key, wrong);
    await call("restore");
    await expect.poll(async () => (await show())?.error?.code, patiently).toMatch(/not_faithful|unavailable/);
    expect(await show()).toMatchObject({
      state: "archived",
      archives: expect.arrayContaining([expect.objectContaining({ state: "verified" })]),
    });
    await wrapAs(key, key.wrapped);
    broker.advance(3_600_000);
    await finishWork(deps(), id);
    if ((await show())?.state === "archived") await call("restore");
    await expect.poll(async () => (await env(id)).status, patiently).toBe(200);
  });

  it("what a rotation has to prove dead: nothing is claimed, and it is proven when the row is fixed", async () => {
    const living = new Set<string>();
    const turso = allConnectors.find(({ spec }) => spec.id === "turso") ?? expect.fail();
    const validate: Connector["validate"] = async (context, values) =>
      living.has(values.TURSO_AUTH_TOKEN?.reveal() ?? "")
        ? { status: "valid", capabilities: [], warnings: [] }
        : turso.validate(context, values);
    await open({ emulators: ["turso"], connectors: [{ ...turso, validate }] });
    const made = await broker.createBuild({ connectors: ["turso"] });
    const other = await leaseOf(await broker.createBuild({ connectors: ["turso"] }));
    const lease = (made.leases[0] as LeaseView).id;
    const show = async () => (await broker.call("GET", `/v1/leases/${lease}/rotation`)).body as RotationView;
    living.add((await broker.readEnv(made.id)).TURSO_AUTH_TOKEN ?? "");
    await broker.call("POST", `/v1/leases/${lease}/rotation`, { body: {} });
    await expect.poll(async () => (await show()).state, patiently).toBe("proving");
    const job = async () => (await store().read.jobs.find((await show()).job)) ?? expect.fail();
    const payload = (await job()).payload;
    const keep = async (old: unknown) => {
      const { id } = await job();
      await store().write([], async (tables) => {
        const { fence } = (await tables.jobs.find(id)) ?? expect.fail();
        expect(await tables.jobs.setPayload(id, fence, { ...payload, old })).toBe(true);
      });
    };
    await keep([other.env]);
    living.clear();
    for (let run = 0; run < 40 && (await job()).state !== "requires_action"; run++) {
      broker.advance(700_000);
      await finishWork(deps(), made.id);
    }
    expect(await show()).toMatchObject({ state: "requires_action", provenDead: false });
    await keep(payload?.old);
    broker.advance(3_700_000);
    await expect.poll(async () => (await show()).state, patiently).toBe("done");
    expect((await show()).provenDead).toBe(true);
  });
});
