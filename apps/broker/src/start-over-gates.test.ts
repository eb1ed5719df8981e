import type { Connector, ConnectorSpec, SwapResult } from "@keyloan/contract";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { createMemoryConnectors, type MemoryConnectors } from "./testing/memory-connectors.ts";
import { openPage, type TestPage } from "./testing/open-page.ts";
import { sweepStartOvers } from "./verbs/person/execute-start-over.ts";

const database = { MEMORY_DATABASE_NAME: "own-database", MEMORY_DATABASE_TOKEN: "own-database-token" };
const files = (name: string) => ({ MEMORY_FILES_NAME: name, MEMORY_FILES_TOKEN: "own-files-token" });
const aDay = 24 * 3_600_000;

let memory: MemoryConnectors;
let broker: TestBroker;
/** Names of the databases that a gate wrote into. */
let probed: (string | undefined)[];

beforeEach(async () => {
  probed = [];
  memory = createMemoryConnectors();
  broker = await createTestBroker({ emulators: [], connectors: memory.connectors.map(watched) });
  memory.databases.add("own-database");
});
afterEach(async () => {
  await broker.close();
  memory.databases.close();
});

/** A database whose tries are counted, and a service of real payments, beside which a database is tried. */
function watched(connector: Connector): Connector {
  const { database } = connector;
  if (database?.content === undefined) {
    const spec: ConnectorSpec = { ...connector.spec, category: "payments" };
    const validate: typeof connector.validate = async () => ({
      status: "valid",
      mode: "live",
      capabilities: [],
      warnings: [],
    });
    return { ...connector, spec, validate };
  }
  const probeDurability = async (_context: unknown, values: Parameters<typeof database.content.dump>[1]) => {
    probed.push(values.MEMORY_DATABASE_NAME?.reveal());
    return { steps: [] };
  };
  return { ...connector, database: { ...database, content: { ...database.content, probeDurability } } };
}

async function saveAndSwitch(page: TestPage): Promise<void> {
  expect((await page.save("memory-database", database)).status).toBe(200);
  expect((await page.save("memory-files", files("own-files"))).status).toBe(200);
  expect((await page.change("POST", "/v1/settings/swap")).status).toBe(200);
}

it("no gate opens, or writes with, what a replaced person left in use", async () => {
  const { id } = await broker.createBuild({ ttlSeconds: 604_800 });
  await saveAndSwitch(await openPage(broker, id));
  expect(probed).toEqual(["own-database"]);
  await (await openPage(broker, id)).call("POST", "/v1/settings/start-over");
  broker.advance(aDay + 1_000);
  expect(await sweepStartOvers(broker.running().deps)).toBe(1);
  const newcomer = await openPage(broker, id);
  expect((await newcomer.save("memory-files", files("other-files"))).status).toBe(200);
  const { gates } = (await newcomer.change("POST", "/v1/settings/swap", { dryRun: true })).body as SwapResult;
  expect(probed).toEqual(["own-database"]);
  expect(gates.filter(({ status }) => status === "fail")).toMatchObject([
    { gate: "durable_database", connector: "memory-database", remedy: expect.stringContaining("together") },
  ]);
  memory.databases.add("other-database");
  const other = { ...database, MEMORY_DATABASE_NAME: "other-database" };
  expect((await newcomer.save("memory-database", other)).status).toBe(200);
  expect((await newcomer.change("POST", "/v1/settings/swap")).status).toBe(200);
  expect(probed).toEqual(["own-database", "other-database"]);
});

it("a gate still looks at all that is the person's own, also what is not switched now", async () => {
  const { id } = await broker.createBuild();
  const page = await openPage(broker, id);
  await saveAndSwitch(page);
  expect((await page.save("memory-files", files("newer-files"))).status).toBe(200);
  const body = { connectors: ["memory-files"], dryRun: true };
  expect((await page.change("POST", "/v1/settings/swap", body)).status).toBe(200);
  expect(probed).toEqual(["own-database", "own-database"]);
});
