import { createHash } from "node:crypto";
import { connectors } from "@keyloan/connectors";
import type { BuildView, DatabaseList, JobList } from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemoryBroker, type MemoryBroker } from "./testing/memory-broker.ts";
import { savedBuild, switchAll } from "./testing/saved-build.ts";
import { createStoreWriter, type StoreWriter } from "./testing/store-writer.ts";
import { sweepExpired } from "./verbs/builds/sweep-expired.ts";
import { endDueLendings } from "./verbs/lending/end-lending.ts";

// What stands in one row reaches no other build, is never worked on when nobody of ours wrote it, and stops nothing.

const appSecrets = connectors.filter(({ spec }) => spec.id === "app-secrets");
const poll = { timeout: 15_000, interval: 20 };
let memory: MemoryBroker;
let writer: StoreWriter;
let victim: string;
let lent: string;
let attacker: string;

beforeEach(async () => {
  memory = await createMemoryBroker({}, (inMemory) => [...inMemory, ...appSecrets]);
  writer = await createStoreWriter(memory.broker.dataDirectory);
  const make = async () =>
    (await memory.broker.createBuild({ connectors: ["memory-database"], ttlSeconds: 604_800 })).id;
  victim = await make();
  lent = (await memory.broker.readEnv(victim)).MEMORY_DATABASE_NAME ?? "";
  memory.memory.write(lent, "CREATE TABLE private (text TEXT)");
  attacker = await make();
});
afterEach(() => memory.close());

const call = (method: string, path: string, body?: object) =>
  memory.broker.call(method, path, body === undefined ? {} : { body });
const leaseOf = async (build: string) =>
  String((await writer.only(`SELECT id FROM leases WHERE build_id = '${build}'`)).id);
const database = (build: string, end = "") =>
  `/v1/builds/${build}/databases${end === "" ? "" : `/memory-database/${end}`}`;
const stateOf = async (build: string) =>
  ((await call("GET", database(build))).body as DatabaseList).databases[0]?.state;
const archived = async (build: string) => {
  expect((await call("POST", database(build, "archive"))).status).toBeLessThan(300);
  await expect.poll(() => stateOf(build), poll).toBe("archived");
};

describe("an archive", () => {
  it("of another build is neither read nor restored by a lease that its row names", async () => {
    await archived(victim);
    await archived(attacker);
    await writer.run(
      `DELETE FROM archives WHERE build_id = '${attacker}'`,
      `UPDATE archives SET lease_id = '${await leaseOf(attacker)}' WHERE build_id = '${victim}'`,
    );
    expect((await call("GET", database(attacker, "download"))).status).toBeGreaterThanOrEqual(400);
    expect((await call("POST", database(attacker, "restore"))).status).toBeGreaterThanOrEqual(400);
  });

  it("that a store writer puts in ends no database of others and says of none that it has ended", async () => {
    const handle = JSON.stringify({ name: lent });
    const row = {
      ...{ build_id: attacker, lease_id: await leaseOf(attacker), connector_id: "memory-database" },
      ...{ location: "arc_0000000000000000evx1", created_at: 1, scratch_handle: handle },
    };
    await writer.insert("archives", { ...row, id: "arc_0000000000000000evx1", state: "writing" });
    await archived(attacker);
    expect(memory.memory.dropped).not.toContain(lent);
    const other = {
      ...row,
      id: "arc_0000000000000000evx2",
      lease_id: await leaseOf(victim),
      build_id: victim,
    };
    await writer.insert("archives", { ...other, state: "verified", dropped_at: 1 });
    await call("DELETE", `/v1/builds/${victim}`);
    await expect.poll(() => memory.memory.dropped, poll).toContain(lent);
  });
});

describe("a row that is no build's", () => {
  const job = {
    kind: "issue",
    entity_id: "x",
    state: "waiting",
    run_after: 1,
    attempts: 0,
    fence: 0,
    created_at: 1,
  };
  const closed = async (build: string) =>
    ((await call("GET", `/v1/builds/${build}`)).body as BuildView).state;

  it.each([
    ["nested 10,000 deep", `'${"[".repeat(10_000)}${"]".repeat(10_000)}'`],
    ["a text that is JSON", `'"{}"'`],
  ])("of jobs, with a payload %s, stops no other job and no list", async (_what, payload) => {
    await writer.insert("jobs", { ...job, id: "job_0000000000000000evx1" });
    await writer.run(`UPDATE jobs SET payload = ${payload} WHERE id = 'job_0000000000000000evx1'`);
    await call("DELETE", `/v1/builds/${attacker}`);
    await expect.poll(() => closed(attacker), poll).toBe("closed");
    const { jobs } = (await call("GET", "/v1/jobs")).body as JobList;
    expect(jobs.find(({ id }) => id === "job_0000000000000000evx1")).toMatchObject({ state: "failed" });
  });

  it("with bytes for an id keeps no other from its turn", async () => {
    for (let row = 0; row < 100; row++) {
      await writer.insert("jobs", { ...job, id: `x${row}`, connector_id: "memory-database" });
      await writer.run(`UPDATE jobs SET id = CAST(id AS BLOB) WHERE id = 'x${row}'`);
    }
    const { columns, values } = await copyOf("builds", victim);
    for (let row = 0; row < 60; row++)
      await writer.run(
        `INSERT INTO builds (${columns}) SELECT ${values.replace("id", `CAST('y${row}' AS BLOB)`)} FROM builds WHERE id = '${victim}'`,
      );
    await writer.run("UPDATE builds SET expires_at = 1");
    await sweepExpired(memory.broker.running().deps);
    for (const build of [victim, attacker]) await expect.poll(() => closed(build), poll).toBe("closed");
  });

  it("of start-overs keeps no genuine one from being done", async () => {
    const saved = await savedBuild(memory.broker);
    for (let row = 0; row < 250; row++)
      await writer.insert("start_overs", {
        ...{
          id: `z${row}`,
          build_id: `z${row}`,
          session_id: "x",
          state: "waiting",
          created_at: 1,
          due_at: 1,
        },
      });
    const { store } = memory.broker.running().deps;
    const row = { id: "sta_a", buildId: saved.id, sessionId: "x", address: null, state: "waiting" as const };
    await store.write([], (tables) =>
      tables.startOvers.insert({ ...row, createdAt: 1, dueAt: 2, endedAt: null }),
    );
    expect((await store.read.startOvers.listDue(3, 100)).map(({ id }) => id)).toEqual(["sta_a"]);
  });
});

/** The columns of a table, to copy a row of it. */
async function copyOf(table: string, _id: string) {
  const names = (await writer.rows(`SELECT name FROM pragma_table_info('${table}')`)).map(({ name }) =>
    String(name),
  );
  return { columns: names.join(", "), values: names.join(", ") };
}

describe("capabilities", () => {
  it("a link that a store writer puts in opens nothing", async () => {
    const code = `klo_hnd_${"A".repeat(43)}`;
    await writer.insert("handoffs", {
      ...{ id: "hnd_0000000000000000evx1", build_id: victim, created_by: "admin:admin", created_at: 1 },
      ...{ hash: createHash("sha256").update(code).digest("hex"), expires_at: 9e12 },
    });
    const headers = { "x-keyloan-session": "1" };
    const opened = await memory.broker.call("POST", "/v1/session", { token: null, body: { code }, headers });
    expect(opened.status).toBe(401);
  });

  it("an idempotency key names no build that it did not make", async () => {
    const body = { name: "mine", connectors: ["app-secrets"] };
    const make = (key: string) =>
      memory.broker.call("POST", "/v1/builds", { body, headers: { "idempotency-key": key } });
    const first = (await make("one")).body as BuildView;
    const row = await writer.only("SELECT * FROM idempotency_keys WHERE key = 'one'");
    await writer.insert("idempotency_keys", { ...row, key: "two", build_id: victim });
    const second = (await make("two")).body as BuildView;
    expect([first.id, victim]).not.toContain(second.id);
    expect(((await make("two")).body as BuildView).id).toBe(second.id);
  });

  it("what ended lending is not undone by what stands in the build's row", async () => {
    const { broker } = memory;
    const saved = await savedBuild(broker);
    await switchAll(saved.page);
    const { revertible_until: until } = await writer.only(
      `SELECT revertible_until FROM builds WHERE id = '${saved.id}'`,
    );
    broker.advance(Number(until) - broker.now() + 1_000);
    expect(await endDueLendings(broker.running().deps, new AbortController().signal)).toBe(1);
    await writer.run(
      `UPDATE builds SET state = 'handing_off', lending_ended_at = NULL, finished_at = NULL, revertible_until = 9000000000000, downloaded_at = NULL WHERE id = '${saved.id}'`,
    );
    expect((await call("GET", `/v1/builds/${saved.id}/env`)).status).toBe(409);
  });

  it("a data key that nobody wrapped keeps no other from being wrapped anew", async () => {
    const row = await writer.only(`SELECT * FROM data_keys WHERE owner_id = '${victim}'`);
    await writer.insert("data_keys", { ...row, id: "dek_0", owner_id: "x", wrapped: "v1.AAAA" });
    expect((await call("POST", "/v1/root-key/rewrap")).status).toBe(200);
  });
});
