import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Connector,
  type ConnectorContext,
  type DatabaseDriver,
  type OrgCredential,
  type PlannedLease,
  type SecretValues,
  secretValues,
} from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { RunningEmulator, StartEmulator } from "../emulator.ts";
import { orgCredential, planLease, testContext } from "./harness.ts";

/** What an app does with its database, whatever the database is. */
export type DatabaseSession = {
  readonly run: (statement: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** All or nothing. */
  readonly runTogether: (statements: readonly string[]) => Promise<void>;
  readonly close: () => void;
};

/** A plain client of the database's own ecosystem, used as an app would. */
export type DatabaseTestClient = {
  /** Connects for every call. */
  readonly open: (values: SecretValues) => DatabaseSession;
  /** Keeps one connection open. */
  readonly openLasting: (values: SecretValues) => DatabaseSession;
  /** The address of the first with the secrets of the second. */
  readonly placeOf: (place: SecretValues, secrets: SecretValues) => SecretValues;
  /** The HTTP status with which a credential was refused; `undefined` for any other failure. */
  readonly refusalOf: (error: unknown) => number | undefined;
};

export type DatabaseSuite = {
  readonly connector: Connector;
  readonly startEmulator: StartEmulator;
  readonly client: DatabaseTestClient;
  readonly options?: unknown;
};

type Running = {
  readonly emulator: RunningEmulator;
  readonly context: ConnectorContext;
  readonly org: OrgCredential;
  readonly close: () => Promise<void>;
};

/** Registers what every database connector promises, tried with a plain client on a real database. */
export function testDatabase(suite: DatabaseSuite): void {
  const { connector, client } = suite;
  const driver = driverOf(connector);
  const clock = { shiftMs: 0 };
  let stateDirectory: string;
  let running: Running;

  const start = async (): Promise<Running> => {
    const now = () => Date.now() + clock.shiftMs;
    const emulator = await suite.startEmulator({ stateDirectory, port: 0, now });
    const context = testContext({ baseUrl: emulator.baseUrl, now });
    const org = await orgCredential(connector, context, secretValues(emulator.orgFields));
    return { emulator, context, org, close: () => emulator.close() };
  };
  const plan = (): PlannedLease => ({
    ...planLease(connector, suite.options),
    expiresAt: Date.now() + clock.shiftMs + 60_000,
  });
  const create = (lease: PlannedLease) => driver.create(running.context, running.org, lease);
  const locate = (lease: PlannedLease) => driver.locate(running.context, running.org, lease);
  const drop = (lease: PlannedLease) => driver.drop(running.context, running.org, lease);
  const issue = async (lease: PlannedLease): Promise<SecretValues> => {
    const values = await driver.access(running.context, running.org, lease, await create(lease));
    await expect.poll(() => driver.ready(running.context, values), { timeout: 20_000 }).toBe(true);
    return values;
  };

  describe(`${connector.spec.id} keeps what every database promises`, () => {
    beforeAll(async () => {
      stateDirectory = await mkdtemp(join(tmpdir(), "keyloan-database-"));
      running = await start();
    });
    afterAll(async () => {
      await running?.close();
      await rm(stateDirectory, { recursive: true, force: true });
    });
    beforeEach(() => {
      running.emulator.faults.clear();
      clock.shiftMs = 0;
    });

    test.each([
      ["connecting for every call", client.open],
      ["over one lasting connection", client.openLasting],
    ])("the issued values write, read and roll back, %s", async (_how, open) => {
      const lease = plan();
      const session = open(await issue(lease));
      await session.run("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL)");
      await session.runTogether([
        "INSERT INTO notes VALUES (1, 'first')",
        "INSERT INTO notes VALUES (2, 'second')",
      ]);
      await expect(
        session.runTogether([
          "INSERT INTO notes VALUES (3, 'third')",
          "INSERT INTO notes VALUES (1, 'again')",
        ]),
      ).rejects.toThrow();
      expect(await session.run("SELECT body FROM notes ORDER BY id")).toEqual([
        { body: "first" },
        { body: "second" },
      ]);
      session.close();
      await drop(lease);
    });

    test("a database whose creation was carried out but not answered is adopted", async () => {
      const lease = plan();
      running.emulator.faults.add({ kind: "cut_after", method: "POST" });
      await expect(create(lease)).rejects.toMatchObject({ code: "network", retryable: true });
      expect(await create(lease)).toEqual(await locate(lease));
      await drop(lease);
    });

    test("making the same database twice at once gives one database", async () => {
      const lease = plan();
      const [first, second] = await Promise.all([create(lease), create(lease)]);
      expect(first).toEqual(second);
      await drop(lease);
    });

    test("the credential of one database is refused by another, over either kind of connection", async () => {
      const [own, other] = [plan(), plan()];
      const [ownValues, otherValues] = await Promise.all([issue(own), issue(other)]);
      const foreign = client.placeOf(otherValues, ownValues);
      const session = client.open(foreign);
      const error = await session.run("SELECT 1").catch((reason: unknown) => reason);
      expect([401, 403, 404]).toContain(client.refusalOf(error));
      session.close();
      const lasting = client.openLasting(foreign);
      await expect(lasting.run("SELECT 1")).rejects.toThrow();
      lasting.close();
      expect(await driver.ready(running.context, foreign)).toBe(false);
      await Promise.all([drop(own), drop(other)]);
    });

    test("an expired credential is refused", async () => {
      const lease = plan();
      await issue(lease);
      clock.shiftMs = -24 * 3600_000;
      const early = { ...lease, expiresAt: Date.now() + clock.shiftMs + 60_000 };
      const values = await driver.access(running.context, running.org, early, await locate(early));
      const session = client.open(values);
      const error = await session.run("SELECT 1").catch((reason: unknown) => reason);
      expect(client.refusalOf(error)).toBe(401);
      session.close();
      await drop(lease);
    });

    test("no credential is minted for a lease that has ended", async () => {
      const lease = plan();
      const location = await create(lease);
      const ended = { ...lease, expiresAt: running.context.now() - 1 };
      await expect(driver.access(running.context, running.org, ended, location)).rejects.toMatchObject({
        retryable: false,
      });
      await drop(lease);
    });

    test("dropping cuts what is connected, refuses what comes, and reads back as gone", async () => {
      const lease = plan();
      const values = await issue(lease);
      const [session, lasting] = [client.open(values), client.openLasting(values)];
      await Promise.all([session.run("SELECT 1"), lasting.run("SELECT 1")]);
      await drop(lease);
      await expect(lasting.run("SELECT 1")).rejects.toThrow();
      await expect(session.run("SELECT 1")).rejects.toThrow();
      await expect(locate(lease)).rejects.toMatchObject({ code: "not_found" });
      expect(await driver.ready(running.context, values)).toBe(false);
      session.close();
      lasting.close();
    });

    test("dropping twice, at once, or what was never made succeeds", async () => {
      const lease = plan();
      await create(lease);
      await Promise.all([drop(lease), drop(lease)]);
      await drop(lease);
      await drop(plan());
    });

    test.each([
      ["create", (lease: PlannedLease) => create(lease)],
      ["locate", (lease: PlannedLease) => locate(lease)],
      ["access", (lease: PlannedLease) => driver.access(running.context, running.org, lease, {})],
      ["drop", (lease: PlannedLease) => drop(lease)],
    ] as const)("while the provider is down, %s may be tried again", async (_step, act) => {
      running.emulator.faults.add({ kind: "status", status: 503 }, 20);
      await expect(act(plan())).rejects.toMatchObject({ name: "ProviderError", retryable: true });
    });

    test("a caller who gives up while the database is probed gets that as the answer", async () => {
      const lease = plan();
      const values = await issue(lease);
      const signal = AbortSignal.abort(new DOMException("time is up", "TimeoutError"));
      await expect(driver.ready({ ...running.context, signal }, values)).rejects.toMatchObject({
        code: "timeout",
      });
      await drop(lease);
    });

    test("a stand-in that was stopped serves the same values when it is started again", async () => {
      const lease = plan();
      const values = await issue(lease);
      const before = client.open(values);
      await before.run("CREATE TABLE kept (n INTEGER)");
      before.close();
      await running.close();
      running = await start();
      const after = client.open(values);
      expect(await after.run("SELECT count(*) AS n FROM kept")).toEqual([{ n: 0 }]);
      after.close();
      await drop(lease);
    });
  });
}

function driverOf(connector: Connector): DatabaseDriver {
  if (connector.database === undefined) throw new Error(`connector ${connector.spec.id} is no database`);
  return connector.database;
}
