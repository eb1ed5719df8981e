import {
  type ConnectorContext,
  type DatabaseDriver,
  idSuffix,
  type ListedResource,
  type OrgCredential,
  type PlannedLease,
  type SecretValues,
} from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { RunningEmulator } from "../emulator.ts";
import { openEmulatorTarget, orgCredential, planLease, testContext } from "./harness.ts";
import type { DatabaseSuite } from "./test-database.ts";

type Running = {
  readonly emulator: RunningEmulator;
  readonly context: ConnectorContext;
  readonly org: OrgCredential;
  readonly close: () => Promise<void>;
};

type Upkeep = {
  readonly driver: Required<Pick<DatabaseDriver, "control" | "rotate" | "list">> & DatabaseDriver;
  readonly suite: DatabaseSuite;
  readonly running: () => Running;
  readonly plan: () => PlannedLease;
  readonly issue: (lease: PlannedLease) => Promise<SecretValues>;
  readonly drop: (lease: PlannedLease) => Promise<void>;
  readonly clock: { shiftMs: number };
};

/** Registers what a database connector promises that blocks writes, counts use, rotates and lists. */
export function testDatabaseUpkeep(suite: DatabaseSuite): void {
  const { connector } = suite;
  const driver = upkeepOf(connector.database);
  const clock = { shiftMs: 0 };
  const now = () => Date.now() + clock.shiftMs;
  let running: Running;
  const upkeep: Upkeep = {
    driver,
    suite,
    clock,
    running: () => running,
    plan: () => ({ ...planLease(connector, suite.options), expiresAt: now() + 3600_000 }),
    issue: async (lease) => {
      const location = await driver.create(running.context, running.org, lease);
      const values = await driver.access(running.context, running.org, lease, location);
      await expect.poll(() => driver.ready(running.context, values), { timeout: 20_000 }).toBe(true);
      return values;
    },
    drop: (lease) => driver.drop(running.context, running.org, lease),
  };

  describe(`${connector.spec.id} looks after its databases`, () => {
    beforeAll(async () => {
      const target = await openEmulatorTarget((options) => suite.startEmulator({ ...options, now }));
      const context = testContext({ baseUrl: target.baseUrl, now });
      const org = await orgCredential(connector, context, target.orgFields);
      running = { emulator: target.emulator, context, org, close: target.close };
    });
    afterAll(() => running?.close());
    beforeEach(() => {
      running.emulator.faults.clear();
      clock.shiftMs = 0;
    });
    describeControl(upkeep);
    describeUsage(upkeep);
    describeRotation(upkeep);
    describeListing(upkeep);
  });
}

function describeControl({ driver, suite, running, plan, issue, drop }: Upkeep): void {
  const setWritable = (lease: PlannedLease, writable: boolean) =>
    driver.control.setWritable(running().context, running().org, lease, writable);

  test("a blocked database is read and not written, over whatever is connected, until it is let go", async () => {
    const lease = plan();
    const values = await issue(lease);
    const [session, lasting] = [suite.client.open(values), suite.client.openLasting(values)];
    await session.run("CREATE TABLE notes (body TEXT)");
    await lasting.run("INSERT INTO notes VALUES ('kept')");
    await setWritable(lease, false);
    await setWritable(lease, false);
    await expect(session.run("INSERT INTO notes VALUES ('new')")).rejects.toThrow();
    await expect(lasting.run("INSERT INTO notes VALUES ('new')")).rejects.toThrow();
    await expect(session.run("DROP TABLE notes")).rejects.toThrow();
    expect(await session.run("SELECT body FROM notes")).toEqual([{ body: "kept" }]);
    expect(await lasting.run("SELECT body FROM notes")).toEqual([{ body: "kept" }]);
    await setWritable(lease, true);
    await session.run("INSERT INTO notes VALUES ('new')");
    session.close();
    lasting.close();
    await drop(lease);
  });

  test("a database that was blocked still takes the credentials that it took", async () => {
    const lease = plan();
    const values = await issue(lease);
    await setWritable(lease, false);
    expect(await driver.ready(running().context, values)).toBe(true);
    await setWritable(lease, true);
    expect(await driver.ready(running().context, values)).toBe(true);
    await drop(lease);
  });

  test.each([
    ["down", { kind: "status", status: 503 }, { retryable: true }],
    ["cut", { kind: "cut" }, { retryable: true }],
    ["answering nonsense", { kind: "status", status: 200, body: "{}" }, { code: "invalid_response" }],
  ] as const)("a block is not believed while the provider is %s", async (_what, fault, expected) => {
    const lease = plan();
    await issue(lease);
    running().emulator.faults.add(fault, 10);
    await expect(setWritable(lease, false)).rejects.toMatchObject({ name: "ProviderError", ...expected });
    running().emulator.faults.clear();
    await drop(lease);
  });

  test("blocking what is gone says so", async () => {
    await expect(setWritable(plan(), false)).rejects.toMatchObject({ code: "not_found" });
  });
}

function describeUsage({ driver, suite, running, plan, issue, drop, clock }: Upkeep): void {
  const usage = async (lease: PlannedLease, since: number) =>
    (await driver.control.usage(running().context, running().org, lease, since)).rows;
  const dayMs = 24 * 3600_000;

  test("use is counted from a moment on, and asking for it is none", async () => {
    const lease = plan();
    const session = suite.client.open(await issue(lease));
    const start = running().context.now() - 1;
    await session.run("CREATE TABLE notes (body TEXT)");
    await session.run("INSERT INTO notes VALUES ('one'), ('two')");
    const first = await usage(lease, start);
    expect(first).toBeGreaterThanOrEqual(2);
    expect(await usage(lease, start)).toBe(first);
    await session.run("INSERT INTO notes VALUES ('three')");
    const second = await usage(lease, start);
    expect(second).toBeGreaterThan(first);
    clock.shiftMs = 31 * dayMs;
    expect(await usage(lease, start)).toBe(second);
    expect(await usage(lease, running().context.now() - 30 * dayMs)).toBe(0);
    await session.run("INSERT INTO notes VALUES ('four')");
    expect(await usage(lease, running().context.now() - 30 * dayMs)).toBeGreaterThan(0);
    session.close();
    await drop(lease);
  });

  test("what cannot be counted is told, not taken for none", async () => {
    const lease = plan();
    await issue(lease);
    running().emulator.faults.add({ kind: "status", status: 200, body: '{"database":{"total":{}}}' });
    await expect(usage(lease, 0)).rejects.toMatchObject({ code: "invalid_response" });
    await drop(lease);
    await expect(usage(lease, 0)).rejects.toMatchObject({ code: "not_found" });
  });
}

function describeRotation({ driver, suite, running, plan, issue, drop }: Upkeep): void {
  const rotate = (lease: PlannedLease) => driver.rotate(running().context, running().org, lease);

  test("rotating ends the old credential and what is connected, and keeps the content", async () => {
    const lease = plan();
    const old = await issue(lease);
    const lasting = suite.client.openLasting(old);
    await lasting.run("CREATE TABLE notes (body TEXT)");
    const values = await rotate(lease);
    expect(await driver.ready(running().context, values)).toBe(true);
    expect(await driver.ready(running().context, old)).toBe(false);
    await expect(lasting.run("SELECT 1")).rejects.toThrow();
    lasting.close();
    const session = suite.client.open(values);
    expect(await session.run("SELECT count(*) AS n FROM notes")).toEqual([{ n: 0 }]);
    session.close();
    await drop(lease);
  });

  test("rotating again after any failure gives values that serve", async () => {
    const lease = plan();
    const old = await issue(lease);
    running().emulator.faults.add({ kind: "cut_after", method: "POST" });
    await expect(rotate(lease)).rejects.toMatchObject({ retryable: true });
    const values = await rotate(lease);
    expect(await driver.ready(running().context, values)).toBe(true);
    expect(await driver.ready(running().context, old)).toBe(false);
    await drop(lease);
  });

  test("a lease that has ended is not rotated", async () => {
    const lease = plan();
    const values = await issue(lease);
    const ended = { ...lease, expiresAt: running().context.now() - 1 };
    await expect(rotate(ended)).rejects.toMatchObject({ retryable: false });
    expect(await driver.ready(running().context, values)).toBe(true);
    await drop(lease);
  });
}

function describeListing({ driver, running, plan, issue, drop }: Upkeep): void {
  const listAll = async () => {
    const found: ListedResource[] = [];
    for await (const one of driver.list(running().context, running().org)) found.push(one);
    return found;
  };

  test("what is lent is listed with a handle that ends it, and nothing that is gone", async () => {
    const leases = [plan(), plan()];
    await Promise.all(leases.map(issue));
    const found = await listAll();
    const suffixes = leases.map(({ leaseId }) => idSuffix(leaseId));
    const ours = found.filter(({ suffix }) => suffix !== undefined && suffixes.includes(suffix));
    expect(ours).toHaveLength(2);
    expect(ours.map(({ suffix, handle }) => [suffix, handle]).toSorted()).toEqual(
      leases.map(({ leaseId, handle }) => [idSuffix(leaseId), handle]).toSorted(),
    );
    await Promise.all(ours.map(({ handle }) => drop({ ...plan(), handle })));
    expect((await listAll()).map(({ suffix }) => suffix)).not.toContain(suffixes[0]);
  });

  test("while the provider is down, a listing may be tried again", async () => {
    running().emulator.faults.add({ kind: "status", status: 503 }, 5);
    await expect(listAll()).rejects.toMatchObject({ name: "ProviderError", retryable: true });
  });
}

function upkeepOf(driver: DatabaseDriver | undefined): Upkeep["driver"] {
  const { control, rotate, list } = driver ?? {};
  if (driver === undefined || control === undefined || rotate === undefined || list === undefined) {
    throw new Error("the connector does not look after its databases");
  }
  return { ...driver, control, rotate, list };
}
