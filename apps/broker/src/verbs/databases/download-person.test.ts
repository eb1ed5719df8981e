import { writeFile } from "node:fs/promises";
import type { BuildView, Connector, ErrorEnvelope } from "@keyloan/contract";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "../../testing/create-test-broker.ts";
import { createMemoryConnectors, type MemoryConnectors } from "../../testing/memory-connectors.ts";
import { openPage, type TestPage } from "../../testing/open-page.ts";

let memory: MemoryConnectors;
let broker: TestBroker;
let id: string;
/** What the next file waits for before it is written. */
let hold: () => Promise<void>;

beforeEach(async () => {
  hold = async () => undefined;
  memory = createMemoryConnectors();
  broker = await createTestBroker({ emulators: [], connectors: memory.connectors.map(makesFiles) });
  id = (await broker.createBuild()).id;
});
afterEach(async () => {
  await broker.close();
  memory.databases.close();
});

function makesFiles(connector: Connector): Connector {
  const content = connector.database?.content;
  if (connector.database === undefined || content === undefined) return connector;
  const writes: typeof content.writeFile = async (_dump, path) => {
    await hold();
    await writeFile(path, "rows");
  };
  return { ...connector, database: { ...connector.database, content: { ...content, writeFile: writes } } };
}

const download = (page: TestPage) => page.call("GET", "/v1/settings/databases/memory-database/download");
const save = async (page: TestPage) =>
  expect(
    (await page.save("memory-files", { MEMORY_FILES_NAME: "own", MEMORY_FILES_TOKEN: "own-token" })).status,
  ).toBe(200);

it("what the app stored is any visit's to download while nobody has saved, and then its person's alone", async () => {
  const [first, other] = [await openPage(broker, id), await openPage(broker, id)];
  expect([(await download(first)).status, (await download(other)).status]).toEqual([200, 200]);
  await save(first);
  expect([(await download(first)).status, (await download(other)).status]).toEqual([200, 403]);
});

it("a file that is being made while somebody else becomes the person is not given", async () => {
  const [first, other] = [await openPage(broker, id), await openPage(broker, id)];
  const begun = Promise.withResolvers<void>();
  const saved = Promise.withResolvers<void>();
  hold = () => {
    begun.resolve();
    return saved.promise;
  };
  const answer = download(other);
  await begun.promise;
  await save(first);
  saved.resolve();
  const { status, body } = await answer;
  expect([status, (body as ErrorEnvelope).error.code]).toEqual([403, "person_only"]);
});

it.each(["a token", "a visitor"])(
  "what is refused before it begins is counted, not written each time: by %s",
  async (who) => {
    const build = (await broker.call("GET", `/v1/builds/${id}`)).body as BuildView;
    for (const { id: lease } of build.leases) await broker.call("DELETE", `/v1/leases/${lease}`);
    const page = await openPage(broker, id);
    const path = `/v1/builds/${id}/databases/memory-database/download`;
    const ask = () => (who === "a visitor" ? download(page) : broker.call("GET", path));
    await expect.poll(async () => (await ask()).status, { timeout: 10_000 }).toBe(409);
    const count = async () =>
      (await broker.running().deps.store.read.auditEvents.list({ limit: 200 })).length;
    const before = await count();
    for (let times = 20; times > 0; times--) expect((await ask()).status).toBe(409);
    expect(await count()).toBe(before);
    broker.advance(60_000);
    await broker.running().deps.refusals.writeDue();
    const [counted] = await broker.running().deps.store.read.auditEvents.list({ limit: 1 });
    expect(JSON.parse(counted?.details ?? "")).toMatchObject({ code: "not_ready", status: 409 });
  },
);
