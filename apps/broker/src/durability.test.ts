import { afterEach, beforeEach, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { openPage, type TestPage } from "./testing/open-page.ts";

let broker: TestBroker;

beforeEach(async () => {
  broker = await createTestBroker({ emulators: ["turso", "stripe"] });
  await broker.putOrgKeys();
});
afterEach(() => broker.close());

type Gates = readonly { readonly gate: string; readonly status: string; readonly message: string }[];

async function pageWithOwnKeys(mode: "test" | "live"): Promise<TestPage> {
  const { id } = await broker.createBuild({ connectors: ["turso", "stripe"] });
  const page = await openPage(broker, id);
  for (const [connector, emulator] of broker.emulators) {
    expect((await page.save(connector, await emulator.createUserEnv({ mode }))).status).toBe(200);
  }
  return page;
}

async function swap(page: TestPage): Promise<{ readonly status: number; readonly found: Gates }> {
  const answer = await page.call("POST", "/v1/settings/swap", { expectedVersion: await page.version() });
  const body = answer.body as { readonly gates?: Gates; readonly error?: { details: { gates: Gates } } };
  const gates = body.gates ?? body.error?.details.gates ?? [];
  return { status: answer.status, found: gates.filter(({ gate }) => gate === "durable_database") };
}

/** The user's database as it was, then out of reach. */
async function stopDatabases(): Promise<void> {
  await (broker.emulators.get("turso") ?? expect.fail()).close();
}

it("lets live payments go with a database that keeps what it is told", async () => {
  const { status, found } = await swap(await pageWithOwnKeys("live"));
  expect(status).toBe(200);
  expect(found).toMatchObject([{ status: "pass" }]);
});

it("is closed while the database does not answer, for live payments alone", async () => {
  const live = await pageWithOwnKeys("live");
  const test = await pageWithOwnKeys("test");
  await stopDatabases();
  const refused = await swap(live);
  expect(refused.status).toBe(409);
  expect(refused.found).toMatchObject([
    { status: "fail", message: expect.stringContaining("could not be tested") },
  ]);
  expect((await live.settings()).bindings.map(({ source }) => source)).toEqual(["org", "org"]);
  expect((await swap(test)).found).toMatchObject([{ status: "pass" }]);
});

it("asks for the configured table of migrations", async () => {
  await broker.restart({ migrationsTable: "__migrations" });
  const { status, found } = await swap(await pageWithOwnKeys("live"));
  expect(status).toBe(409);
  expect(found).toMatchObject([{ status: "fail", message: expect.stringContaining("__migrations") }]);
});
