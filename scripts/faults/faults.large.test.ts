import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { buildInstrumentedBroker } from "./build-broker.ts";
import { checkClosed, checkRows, checkSecrets } from "./check.ts";
import { type Run, startRun } from "./run.ts";
import { recordPasses, runPoint } from "./run-point.ts";
import type { Facts } from "./scenario.ts";
import { issue } from "./scenarios/build.ts";
import { cancelTransfer } from "./scenarios/data.ts";
import { readyBuild } from "./steps.ts";
import { createWorld, type World } from "./world.ts";

let folder: string;
let world: World;
let run: Run;
let facts: Facts;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyloan-faults-"));
  const built = join(folder, "broker");
  await buildInstrumentedBroker(built);
  world = await createWorld(folder, built);
}, 180_000);
afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  run = await startRun(world, await mkdtemp(join(folder, "run-")), 1);
  facts = await readyBuild(run, ["turso", "app-secrets"]);
});
afterEach(async () => {
  await run.end();
  world.forget(await world.listHeld());
});

function changeStore(sql: string): void {
  const database = new DatabaseSync(join(run.folder, "data", "keyloan.db"), { timeout: 5_000 });
  database.exec(sql);
  database.close();
}

test("an undisturbed build is found whole", async () => {
  expect(await checkRows(run)).toEqual([]);
  expect(await checkSecrets(run, new Set(Object.values(facts.values)))).toEqual([]);
});

test("a resource that no row owns is found", async () => {
  changeStore("UPDATE leases SET state = 'released' WHERE connector_id = 'turso'");
  expect(await checkRows(run)).toMatchObject([
    { kind: "orphaned", what: expect.stringMatching(/^turso still holds kl-/) },
  ]);
});

test("a row that claims a database which is gone is found", async () => {
  const other = await readyBuild(run, ["turso"]);
  await run.call("DELETE", `/v1/builds/${other.buildId}`);
  await run.settle();
  changeStore(`UPDATE leases SET state = 'active' WHERE build_id = '${other.buildId}'`);
  expect(await checkRows(run)).toMatchObject([
    { kind: "lost", what: expect.stringContaining("its database is gone") },
  ]);
});

test("a binding that leads nowhere is found", async () => {
  changeStore("UPDATE bindings SET source = 'user', user_key_id = 'usr_none' WHERE connector_id = 'turso'");
  expect(await checkRows(run)).toMatchObject([
    { kind: "lost", what: expect.stringContaining("leads nowhere") },
  ]);
});

test("a secret in the clear is found, wherever it is written", async () => {
  await writeFile(join(run.folder, "data", "left-over.tmp"), `token=${facts.values.TURSO_AUTH_TOKEN}`);
  expect(await checkSecrets(run, new Set(Object.values(facts.values)))).toMatchObject([
    { kind: "lost", what: "left-over.tmp holds a secret in the clear" },
  ]);
});

test("what outlives its build is found", async () => {
  expect((await checkClosed(run)).map(({ kind }) => kind).toSorted()).toEqual([
    "lost",
    "lost",
    "lost",
    "orphaned",
  ]);
});

test("a broker killed while it issues loses nothing, whether a new one or a second one goes on", async () => {
  const passes = await recordPasses(world, folder, issue);
  const place = Object.keys(passes).find((name) => name.includes("issue-lease.ts")) ?? expect.fail();
  const point = { place, pass: 1, moment: "done" } as const;
  for (const brokers of [1, 2] as const) {
    expect(await runPoint(world, folder, issue, point, brokers)).toEqual({ reached: true, findings: [] });
  }
});

test("a broker killed while it takes a copy out of the user's database leaves no half of it", async () => {
  const passes = await recordPasses(world, folder, cancelTransfer);
  // The loop that drops one thing after the other; at its last pass most of the copy is gone.
  const [loop] = Object.entries(passes)
    .filter(([name]) => name.includes("/libsql/journal.ts"))
    .toSorted(([, a], [, b]) => b - a);
  const [place, pass] = loop ?? expect.fail();
  const { findings } = await runPoint(world, folder, cancelTransfer, { place, pass, moment: "done" }, 1);
  expect(findings).toEqual([]);
}, 120_000);
