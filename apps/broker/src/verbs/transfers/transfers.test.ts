import {
  type AuditList,
  type ErrorEnvelope,
  ProviderError,
  type ReceiptList,
  type ReceiptView,
  type SigningKeys,
  type TransferList,
  type TransferView,
} from "@keyloan/contract";
import { verifyReceipt } from "@keyloan/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allowTokens } from "../../testing/allow-tokens.ts";
import { type Answer, createTestBroker, type TestBroker } from "../../testing/create-test-broker.ts";
import { createMemoryConnectors, type MemoryConnectors } from "../../testing/memory-connectors.ts";
import { openPage, type TestPage } from "../../testing/open-page.ts";
import { claimJobs } from "../../worker.ts";
import { sweepStartOvers } from "../person/execute-start-over.ts";
import { sweepTransfers } from "./sweep-transfers.ts";

let memory: MemoryConnectors;
let broker: TestBroker;
let page: TestPage;
let buildId: string;
/** The names of the lent database and bucket. */
let lent: string;
let lentFiles: string;

beforeEach(async () => {
  memory = createMemoryConnectors();
  broker = await createTestBroker({ emulators: [], connectors: memory.connectors });
  buildId = (await broker.createBuild()).id;
  const env = await broker.readEnv(buildId);
  lent = env.MEMORY_DATABASE_NAME ?? "";
  lentFiles = env.MEMORY_FILES_NAME ?? "";
  page = await openPage(broker, buildId);
  memory.write(lent, "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)");
  for (let id = 1; id <= 40; id++) memory.write(lent, `INSERT INTO notes VALUES (${id}, 'note ${id}')`);
  for (let index = 0; index < 20; index++)
    memory.storage.bucket(lentFiles).set(`${index}.txt`, `file ${index}`);
  memory.databases.add("own-database");
});
afterEach(async () => {
  await broker.close();
  memory.databases.close();
});

const saveOwn = async () => {
  const database = { MEMORY_DATABASE_NAME: "own-database", MEMORY_DATABASE_TOKEN: "own-database-token" };
  const files = { MEMORY_FILES_NAME: "own-files", MEMORY_FILES_TOKEN: "own-files-token" };
  expect((await page.save("memory-database", database)).status).toBe(200);
  expect((await page.save("memory-files", files)).status).toBe(200);
};
const path = "/v1/settings/transfer";
const start = (body: Record<string, unknown> = {}) => page.call("POST", path, body);
const startDatabase = (body: Record<string, unknown> = {}) =>
  start({ connectors: ["memory-database"], ...body });
const error = (answer: Answer) => (answer.body as ErrorEnvelope).error;
const show = async (connector = "memory-database"): Promise<TransferView> => {
  const { movable } = (await page.call("GET", path)).body as TransferList;
  return movable.find((each) => each.connector === connector)?.transfer ?? expect.fail("no transfer");
};
const until = (state: string, connector = "memory-database") =>
  expect.poll(async () => (await show(connector)).state, { timeout: 15_000 }).toBe(state);
const untilTidy = (connector = "memory-database") =>
  expect.poll(async () => (await show(connector)).tidying, { timeout: 15_000 }).toBe(false);
const rowsOf = (name: string) =>
  memory.databases.database(name).prepare("SELECT count(*) AS n FROM notes").get()?.n;
const tablesOf = (name: string) =>
  memory.databases.database(name).prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
const lentWritable = () => {
  memory.write(lent, "INSERT INTO notes (text) VALUES ('later')");
};
const swap = async (connectors?: string[]) =>
  page.call("POST", "/v1/settings/swap", {
    expectedVersion: await page.version(),
    ...(connectors === undefined ? {} : { connectors }),
  });
const refusal = (code: ConstructorParameters<typeof ProviderError>[1]) => () => {
  throw new ProviderError("memory", code, "fails");
};
/** Holds a step until it is released. */
function gate() {
  const reached = Promise.withResolvers<void>();
  const open = Promise.withResolvers<void>();
  const step = async () => {
    reached.resolve();
    await open.promise;
  };
  return { step, reached: reached.promise, open: () => open.resolve() };
}
const readReceipts = (token = broker.adminToken) =>
  broker.call("GET", `/v1/builds/${buildId}/transfers/receipts`, { token });
const receiptOf = async (answer: Promise<Answer>): Promise<ReceiptView> => {
  const { receipts } = (await answer).body as ReceiptList;
  return receipts.find(({ connector }) => connector === "memory-database") ?? expect.fail("no receipt");
};
const payloadText = (receipt: string) => Buffer.from(receipt.split(".")[1] ?? "", "base64url").toString();
const actions = async () => {
  const { events } = (await broker.call("GET", `/v1/audit?entity=${buildId}&limit=200`)).body as AuditList;
  return events.map(({ action }) => action).filter((action) => action.startsWith("transfer."));
};

describe("what can be moved", () => {
  it("is told with what it waits for", async () => {
    const list = async () => ((await page.call("GET", path)).body as TransferList).movable;
    expect(await list()).toEqual([
      { connector: "memory-database", kind: "database", canStart: false, waitsFor: "keys" },
      { connector: "memory-files", kind: "storage", canStart: false, waitsFor: "keys" },
    ]);
    await saveOwn();
    expect((await list()).map(({ canStart }) => canStart)).toEqual([true, true]);
  });

  it("needs keys of the user's own", async () => {
    expect(error(await startDatabase())).toMatchObject({ code: "not_ready" });
    expect(error(await start())).toMatchObject({ code: "not_ready" });
  });

  it("is nothing that the app does not use", async () => {
    expect(error(await start({ connectors: ["stripe"] })).code).toBe("unknown_connector");
  });

  it("is not what was lent itself", async () => {
    const same = { MEMORY_DATABASE_NAME: lent, MEMORY_DATABASE_TOKEN: "a-token-of-the-users-own" };
    expect((await page.save("memory-database", same)).status).toBe(200);
    expect(error(await startDatabase({ overwrite: true }))).toMatchObject({
      code: "conflict",
      message: expect.stringMatching(/point to the lent/),
    });
    expect(rowsOf(lent)).toBe(40);
  });

  it("is decided on the newest state", async () => {
    await saveOwn();
    expect(error(await startDatabase({ expectedVersion: 0 })).code).toBe("settings_changed");
  });
});

describe("moving", () => {
  it("copies, proves, and waits for the switch with the source stopped; the switch goes to the copy", async () => {
    await saveOwn();
    const begun = await start();
    expect(begun.status).toBe(202);
    await until("copied");
    expect(await show()).toMatchObject({
      progress: { phase: "proven", rows: 40, rowsTotal: 40 },
      sourceReadOnly: true,
      receipt: true,
      switchBy: expect.any(String),
    });
    expect(await show("memory-files")).toMatchObject({
      state: "copied",
      progress: { objects: 20, objectsTotal: 20 },
      sourceReadOnly: false,
    });
    expect(() => lentWritable()).toThrow("blocked");
    expect((await swap()).status).toBe(200);
    expect([(await show()).state, (await show("memory-files")).state]).toEqual(["switched", "switched"]);
    const env = await broker.readEnv(buildId);
    expect([env.MEMORY_DATABASE_NAME, rowsOf("own-database")]).toEqual(["own-database", 40]);
    expect(memory.storage.bucket("own-files")).toEqual(memory.storage.bucket(lentFiles));
    expect(() => lentWritable()).toThrow("blocked");
    expect((await actions()).toReversed()).toEqual([
      "transfer.started",
      "transfer.started",
      "transfer.copied",
      "transfer.frozen",
      "transfer.copied",
    ]);
  });

  it("stops the database only when the files are there", async () => {
    await saveOwn();
    const copying = gate();
    memory.storage.trouble[lentFiles] = { read: copying.step };
    await start();
    await copying.reached;
    expect([await show(), memory.frozen.size]).toMatchObject([{ state: "waiting" }, 0]);
    copying.open();
    await until("copied");
  });

  it("gives a receipt that anyone can check, also when the build is closed", async () => {
    await saveOwn();
    await start();
    await until("copied");
    await swap();
    const own = await receiptOf(page.call("GET", "/v1/settings/transfer/receipt"));
    await broker.call("DELETE", `/v1/builds/${buildId}`);
    const receipt = await receiptOf(readReceipts());
    const content = {
      buildId,
      from: { name: lent },
      proof: "equal",
      database: { rows: 40, tables: [{ name: "notes", rows: 40 }] },
    };
    expect(own.content).toMatchObject({ ...content, to: { account: "own" } });
    expect(receipt.content).toMatchObject(content);
    const { body: keys } = await broker.call("GET", "/v1/signing-keys", { token: null });
    for (const each of [own, receipt]) {
      const signed = verifyReceipt(each.receipt, (keys as SigningKeys).keys);
      expect(signed?.content).toEqual(each.content);
    }
    expect(JSON.stringify([own, receipt])).not.toMatch(/token/);
  });

  it("names the user's account to nobody but them, from the copy on", async () => {
    await saveOwn();
    await start();
    await until("copied");
    const reader = await broker.call("POST", "/v1/tokens", { body: { name: "r", scopes: ["builds:read"] } });
    const { token } = reader.body as { token: string };
    const texts = async () => {
      const answers = [await readReceipts(), await readReceipts(token)];
      const lists = answers.map(({ body }) => (body as ReceiptList).receipts);
      expect(lists.map((list) => list.length)).toEqual([2, 2]);
      return (
        JSON.stringify(lists) +
        lists
          .flat()
          .map(({ receipt }) => payloadText(receipt))
          .join()
      );
    };
    const { receipt } = await receiptOf(page.call("GET", "/v1/settings/transfer/receipt"));
    expect(payloadText(receipt)).toContain('"to":{"account":"own"');
    expect(await texts()).not.toMatch(/"to":|own/);
    await swap();
    expect(await texts()).not.toMatch(/"to":|own/);
    await broker.call("DELETE", `/v1/builds/${buildId}`);
    expect(await texts()).not.toMatch(/"to":|own/);
  });

  it("names what the app stored to nobody who may not have it", async () => {
    memory.databases.trouble[lent] = {
      dump: () => {
        throw new ProviderError("memory", "rejected", 'cannot export this exactly: the table "patients"');
      },
    };
    await saveOwn();
    await startDatabase();
    await until("failed");
    await untilTidy();
    const { store } = broker.running().deps;
    const row = (await store.read.transfers.find((await show()).id)) ?? expect.fail("no row");
    const progress = { phase: "copying", at: row.createdAt, item: "uploads/alice.pdf" } as const;
    await store.write([], (tx) => tx.transfers.update(row.id, ["failed"], { progress }));
    const shown = async (scope: string) => {
      const body = { name: scope, scopes: ["builds:read", scope] };
      const { token } = (await broker.call("POST", "/v1/tokens", { body })).body as { token: string };
      return (await broker.call("GET", `/v1/builds/${buildId}/transfers`, { token })).text;
    };
    const stranger = await openPage(broker, buildId);
    for (const text of [(await page.call("GET", path)).text, await shown("builds:write")])
      expect(text).toMatch(/patients.*alice|alice.*patients/s);
    for (const text of [(await stranger.call("GET", path)).text, await shown("builds:read")]) {
      expect(text).toContain("cannot export this exactly");
      expect(text).not.toMatch(/patients|alice/);
    }
  });

  it.each([
    ["", 0],
    [", also when a clock that was ahead is set back", -4 * 86_400_000],
  ])("does not name the account of a person who was replaced to whoever came after%s", async (_, back) => {
    await saveOwn();
    await start();
    await until("copied");
    await swap();
    const other = await openPage(broker, buildId);
    expect((await other.call("POST", "/v1/settings/start-over")).status).toBe(200);
    broker.advance(25 * 3_600_000);
    await sweepStartOvers(broker.running().deps);
    broker.advance(back);
    page = await openPage(broker, buildId);
    const theirs = () => receiptOf(page.call("GET", "/v1/settings/transfer/receipt"));
    expect(payloadText((await theirs()).receipt)).not.toContain('"to":');
    await saveOwn();
    expect(payloadText((await theirs()).receipt)).not.toContain('"to":');
  });

  it("is done by whoever made the build too when the user allows it, and by nobody else", async () => {
    await saveOwn();
    const refused = await broker.call("POST", `/v1/builds/${buildId}/transfers`, { body: {} });
    expect([refused.status, error(refused).code]).toEqual([403, "person_decides"]);
    await allowTokens(broker, buildId, "transfer");
    const begun = await broker.call("POST", `/v1/builds/${buildId}/transfers`, { body: {} });
    expect(begun.status).toBe(202);
    await until("copied");
    const token = await broker.createBuildToken(buildId);
    expect((await broker.call("GET", `/v1/builds/${buildId}/transfers`, { token })).status).toBe(403);
  });

  it("goes on after the broker was restarted in the middle", async () => {
    await saveOwn();
    const copying = gate();
    memory.databases.trouble["own-database"] = { write: copying.step };
    await startDatabase();
    await copying.reached;
    copying.open();
    delete memory.databases.trouble["own-database"].write;
    await broker.restart();
    await until("copied");
    expect(rowsOf("own-database")).toBe(40);
    expect(memory.databases.steps).toContain("takeBack own-database");
    expect(memory.databases.steps).not.toContain("empty own-database");
  });
});

describe("a worker that is taken for dead", () => {
  it("writes nothing more when another one has taken the move over", async () => {
    await saveOwn();
    const stuck = gate();
    let writes = 0;
    memory.databases.trouble["own-database"] = { write: () => (++writes === 5 ? stuck.step() : undefined) };
    await startDatabase();
    await stuck.reached;
    const { deps } = broker.running();
    await deps.store.write([], async (tables) =>
      tables.jobs.cancelByEntity((await tables.transfers.listByBuild(buildId))[0]?.id ?? "", "transfer"),
    );
    await sweepTransfers(deps);
    await until("copied").finally(stuck.open);
    expect((await swap(["memory-database"])).status).toBe(200);
    expect([rowsOf("own-database"), (await show()).state]).toEqual([40, "switched"]);
  });
});

describe("what is there already", () => {
  beforeEach(() => {
    memory.databases.database("own-database").exec("CREATE TABLE mine (id)");
    memory.storage.bucket("own-files").set("mine.txt", "mine");
  });

  it("is not touched", async () => {
    await saveOwn();
    const refused = await startDatabase();
    expect([refused.status, error(refused)]).toMatchObject([
      409,
      { code: "target_not_empty", details: { connector: "memory-database", kind: "database" } },
    ]);
    expect(error(await start({ connectors: ["memory-files"] })).code).toBe("target_not_empty");
    expect(tablesOf("own-database")).toEqual([{ name: "mine" }]);
    expect(memory.frozen.size).toBe(0);
  });

  it("goes when the user says so: a whole database, of files those of the same name", async () => {
    await saveOwn();
    expect((await start({ overwrite: true })).status).toBe(202);
    await until("copied");
    expect(tablesOf("own-database")).toEqual([{ name: "notes" }]);
    expect(memory.storage.bucket("own-files").get("mine.txt")).toBe("mine");
  });

  it.each(["isEmpty", "load"])("is seen too when it came at the last moment, before our %s", async (step) => {
    memory.databases.database("own-database").exec("DROP TABLE mine");
    await saveOwn();
    const held = gate();
    let asked = 0;
    // The look at the start is over when the answer comes.
    memory.databases.trouble["own-database"] = {
      [step]: () => (step === "isEmpty" && ++asked === 1 ? undefined : held.step()),
    };
    await startDatabase();
    await held.reached;
    memory.databases.database("own-database").exec("CREATE TABLE mine (id)");
    held.open();
    await until("failed");
    await untilTidy();
    expect((await show()).error?.code).toBe("target_not_empty");
    expect(tablesOf("own-database")).toEqual([{ name: "mine" }]);
    expect(await actions()).not.toContain("transfer.copied");
  });

  it("is seen too when it came after the look", async () => {
    memory.databases.database("own-database").exec("DROP TABLE mine");
    await saveOwn();
    const freezing = gate();
    memory.control.trouble = (writable) => (writable ? undefined : freezing.step());
    await startDatabase();
    await freezing.reached;
    memory.databases.database("own-database").exec("CREATE TABLE mine (id)");
    freezing.open();
    await until("failed");
    await untilTidy();
    expect((await show()).error?.code).toBe("target_not_empty");
    expect(tablesOf("own-database")).toEqual([{ name: "mine" }]);
    expect(memory.frozen.size).toBe(0);
  });
});

describe("cancelling", () => {
  it("in the middle lets the app write again and empties what was begun", async () => {
    await saveOwn();
    const copying = gate();
    memory.databases.trouble["own-database"] = { write: copying.step };
    await startDatabase();
    await copying.reached;
    expect((await page.call("POST", `${path}/cancel`)).status).toBe(202);
    copying.open();
    await untilTidy();
    expect(await show()).toMatchObject({ state: "cancelled", sourceReadOnly: false });
    lentWritable();
    expect(tablesOf("own-database")).toEqual([]);
  });

  it("takes out nothing that the user made meanwhile, and says so", async () => {
    await saveOwn();
    const copying = gate();
    memory.databases.trouble["own-database"] = { write: copying.step };
    await startDatabase();
    await copying.reached;
    memory.databases
      .database("own-database")
      .exec("CREATE TABLE mine (id); CREATE VIEW seen AS SELECT 1 AS x");
    await page.call("POST", `${path}/cancel`);
    copying.open();
    await untilTidy();
    expect(tablesOf("own-database")).toEqual([{ name: "mine" }]);
    expect(await actions()).toContain("transfer.left_theirs");
  });

  it("that could not reach the user's database leaves our copy, which going on takes back, and nothing else", async () => {
    const unreachable = { summarize: refusal("unauthorized"), settle: refusal("unauthorized") };
    await saveOwn();
    await startDatabase();
    await until("copied");
    memory.databases.trouble["own-database"] = unreachable;
    await page.call("POST", `${path}/cancel`, {});
    await untilTidy();
    memory.databases.trouble["own-database"] = {};
    expect(rowsOf("own-database")).toBe(40);
    expect((await page.call("POST", `${path}/resume`, {})).status).toBe(202);
    await until("copied");
    memory.databases.trouble["own-database"] = unreachable;
    await page.call("POST", `${path}/cancel`, {});
    await untilTidy();
    memory.databases.trouble["own-database"] = {};
    memory.databases.database("own-database").exec("CREATE TABLE mine (id)");
    await page.call("POST", `${path}/resume`, {});
    await until("failed");
    await untilTidy();
    expect((await show()).error?.code).toBe("target_not_empty");
    expect(tablesOf("own-database")).toEqual([{ name: "notes" }, { name: "mine" }]);
    await page.call("POST", `${path}/resume`, { overwrite: true });
    await until("copied");
    expect(tablesOf("own-database")).toEqual([{ name: "notes" }]);
  });

  it("of a proven copy takes the copy away, and its receipt", async () => {
    await saveOwn();
    await startDatabase();
    await until("copied");
    await page.call("POST", `${path}/cancel`, {});
    await untilTidy();
    expect(await show()).toMatchObject({ state: "cancelled", receipt: false });
    lentWritable();
    expect(tablesOf("own-database")).toEqual([]);
  });

  it("comes with starting over: the copy is undone with the old keys, which go then", async () => {
    await saveOwn();
    broker.advance(25 * 3_600_000);
    page = await openPage(broker, buildId, page.browser);
    const copying = gate();
    memory.databases.trouble["own-database"] = { write: copying.step };
    await startDatabase();
    await copying.reached;
    const other = await openPage(broker, buildId);
    expect((await other.call("POST", "/v1/settings/start-over")).body).toMatchObject({
      person: { standing: "none" },
    });
    const left = async () =>
      (await broker.running().deps.store.read.userKeys.listByBuild(buildId)).map(
        ({ connectorId }) => connectorId,
      );
    expect(await left()).toEqual(["memory-database"]);
    copying.open();
    await expect.poll(left, { timeout: 15_000 }).toEqual([]);
    lentWritable();
    expect(tablesOf("own-database")).toEqual([]);
    expect(await actions()).toContain("transfer.cancelled");
  });

  it("leaves a copy that the user works with already", async () => {
    await saveOwn();
    await startDatabase();
    await until("copied");
    memory.databases.database("own-database").exec("INSERT INTO notes (text) VALUES ('mine')");
    await page.call("POST", `${path}/cancel`, {});
    await untilTidy();
    expect(rowsOf("own-database")).toBe(41);
  });

  it("leaves files where they are, and going on copies only the rest", async () => {
    await saveOwn();
    const copying = gate();
    let writes = 0;
    memory.storage.trouble["own-files"] = { write: () => (++writes >= 9 ? copying.step() : undefined) };
    await start({ connectors: ["memory-files"] });
    await copying.reached;
    await page.call("POST", `${path}/cancel`, {});
    await untilTidy("memory-files");
    copying.open();
    const before = memory.storage.copied.length;
    expect((await page.call("POST", `${path}/resume`, {})).status).toBe(202);
    await until("copied", "memory-files");
    expect([before < 20, memory.storage.copied.length]).toEqual([true, 20]);
  });

  it("is refused when nothing is moved", async () => {
    expect(error(await page.call("POST", `${path}/cancel`, {})).code).toBe("conflict");
    expect(error(await page.call("POST", `${path}/resume`, {})).code).toBe("conflict");
  });
});

describe("a transfer that fails", () => {
  it.each([
    ["the target fills up", "own-database", "write", "quota_exceeded", /not enough space/],
    ["the user's key dies", "own-database", "load", "unauthorized", /key .* was refused/],
    ["the source holds what cannot be copied", "lent", "dump", "rejected", /cannot be copied exactly/],
  ] as const)("because %s says so, and everything is as it was", async (_what, end, step, code, words) => {
    await saveOwn();
    let asked = 0;
    const name = end === "lent" ? lent : end;
    memory.databases.trouble[name] = { [step]: () => (++asked === 1 ? refusal(code)() : undefined) };
    await startDatabase();
    await until("failed");
    await untilTidy();
    const { error: problem, sourceReadOnly } = await show();
    expect([problem?.message, problem?.remedy, sourceReadOnly]).toEqual([
      expect.stringMatching(words),
      expect.any(String),
      false,
    ]);
    lentWritable();
    expect(tablesOf("own-database")).toEqual([]);
    expect(rowsOf(lent)).toBe(41);
  });

  it("goes on by itself when the provider was only down for a moment", async () => {
    await saveOwn();
    let asked = 0;
    memory.databases.trouble["own-database"] = {
      load: () => (++asked === 1 ? refusal("unavailable")() : undefined),
    };
    await startDatabase();
    await until("copied");
    expect(rowsOf("own-database")).toBe(40);
  });

  it("can be gone on with when the reason is gone", async () => {
    await saveOwn();
    memory.databases.trouble["own-database"] = { load: refusal("quota_exceeded") };
    await startDatabase();
    await until("failed");
    await untilTidy();
    memory.databases.trouble["own-database"] = {};
    expect((await page.call("POST", `${path}/resume`, {})).status).toBe(202);
    await until("copied");
    expect(await show()).not.toHaveProperty("error");
  });

  it("is not called a copy when the target does not hold the same", async () => {
    await saveOwn();
    let asked = 0;
    memory.databases.trouble["own-database"] = {
      summarize: () => {
        // The proof.
        if (++asked === 1) memory.databases.database("own-database").exec("DELETE FROM notes WHERE id = 7");
      },
    };
    await startDatabase();
    await until("failed");
    await untilTidy();
    expect((await show()).error?.code).toBe("not_faithful");
    expect([tablesOf("own-database"), memory.frozen.size]).toEqual([[], 0]);
  });

  it("has as long as it takes to let its source accept writes again", async () => {
    await saveOwn();
    let asked = 0;
    memory.control.trouble = (writable) => (writable && ++asked <= 1 ? refusal("forbidden")() : undefined);
    memory.databases.trouble["own-database"] = { load: refusal("quota_exceeded") };
    await startDatabase();
    await until("failed");
    await untilTidy();
    expect(asked).toBeGreaterThan(1);
    lentWritable();
  });

  it("says at once that a target cannot be looked at, and stops nothing", async () => {
    await saveOwn();
    memory.databases.trouble["own-database"] = { isEmpty: refusal("unauthorized") };
    const refused = await startDatabase();
    expect([refused.status, error(refused).message]).toEqual([502, expect.stringMatching(/your key/)]);
    expect(memory.frozen.size).toBe(0);
  });
});

describe("a source that was stopped", () => {
  it("accepts writes again when nobody switched in time, and the copy is taken away", async () => {
    await saveOwn();
    await startDatabase();
    await until("copied");
    broker.advance(31 * 60_000);
    await until("failed");
    await untilTidy();
    expect((await show()).error?.code).toBe("not_switched");
    lentWritable();
    expect(tablesOf("own-database")).toEqual([]);
    expect(error(await page.call("POST", `${path}/resume`, { connectors: ["memory-files"] })).code).toBe(
      "conflict",
    );
    expect((await page.call("POST", `${path}/resume`, {})).status).toBe(202);
    await until("copied");
  });

  it("accepts writes again by the sweep when its job was lost", async () => {
    await saveOwn();
    await startDatabase();
    await until("copied");
    const { deps } = broker.running();
    const [row] = await deps.store.read.transfers.listByBuild(buildId);
    await deps.store.write([], async (tables) => {
      await tables.jobs.cancelByEntity(row?.id ?? "", "end-transfer");
      await tables.transfers.update(row?.id ?? "", ["copied"], { state: "cancelled" });
    });
    await sweepTransfers(deps);
    await untilTidy();
    lentWritable();
  });

  it("can be written to again after going back, and what was copied stays with the user", async () => {
    await saveOwn();
    await startDatabase();
    await until("copied");
    await swap(["memory-database"]);
    const reverted = await page.call("POST", "/v1/settings/revert", {
      expectedVersion: await page.version(),
    });
    expect(reverted.status).toBe(200);
    await untilTidy();
    lentWritable();
    expect([rowsOf("own-database"), (await show()).receipt]).toEqual([40, true]);
    // Moving again would go over what the user may have written since.
    expect(error(await startDatabase()).code).toBe("target_not_empty");
  });
});

describe("what was moved", () => {
  const switchDatabase = async () => {
    await saveOwn();
    await startDatabase();
    await until("copied");
    expect((await swap(["memory-database"])).status).toBe(200);
  };

  it("is given back when the time to go back is over, and not before", async () => {
    await switchDatabase();
    broker.advance(23 * 3_600_000);
    await claimJobs(broker.running().deps);
    expect(memory.databases.has(lent)).toBe(true);
    broker.advance(2 * 3_600_000);
    await expect.poll(() => memory.databases.has(lent), { timeout: 10_000 }).toBe(false);
    expect(rowsOf("own-database")).toBe(40);
    expect((await broker.readEnv(buildId)).MEMORY_DATABASE_NAME).toBe("own-database");
    expect(await actions()).toContain("transfer.source_ended");
  });

  it("does not keep the rest from going back", async () => {
    await switchDatabase();
    broker.advance(25 * 3_600_000);
    await expect.poll(() => memory.databases.has(lent), { timeout: 10_000 }).toBe(false);
    page = await openPage(broker, buildId, page.browser);
    await swap(["memory-files"]);
    const reverted = await page.call("POST", "/v1/settings/revert", {
      expectedVersion: await page.version(),
    });
    expect(reverted.status).toBe(200);
    const { bindings } = await page.settings();
    expect(bindings.map(({ connector, source }) => [connector, source])).toEqual([
      ["memory-database", "user"],
      ["memory-files", "org"],
    ]);
  });
});

describe("switching", () => {
  it("waits for what is being moved", async () => {
    await saveOwn();
    const copying = gate();
    memory.databases.trouble["own-database"] = { write: copying.step };
    await startDatabase();
    await copying.reached;
    expect(error(await swap()).code).toBe("already_running");
    copying.open();
    await until("copied");
    expect((await swap()).status).toBe(200);
  });

  it("goes without the data when nothing was moved", async () => {
    await saveOwn();
    expect((await swap()).status).toBe(200);
    expect(memory.frozen.size).toBe(0);
  });

  it("is refused when files changed since, and moving again copies only those", async () => {
    await saveOwn();
    await start({ connectors: ["memory-files"] });
    await until("copied", "memory-files");
    memory.storage.bucket(lentFiles).set("late.txt", "late");
    const refused = await swap();
    expect([refused.status, error(refused).code]).toEqual([409, "conflict"]);
    const before = memory.storage.copied.length;
    await page.call("POST", `${path}/resume`, {});
    await until("copied", "memory-files");
    expect(memory.storage.copied.length).toBe(before + 1);
    expect((await swap()).status).toBe(200);
  });

  it("keeps the keys that data is being moved with", async () => {
    await saveOwn();
    await startDatabase();
    await until("copied");
    const other = { MEMORY_DATABASE_NAME: "another", MEMORY_DATABASE_TOKEN: "another-token" };
    expect(error(await page.save("memory-database", other)).code).toBe("already_running");
  });
});

describe("closing a build", () => {
  it("ends a move under way and empties what was begun", async () => {
    await saveOwn();
    const copying = gate();
    memory.databases.trouble["own-database"] = { write: copying.step };
    await startDatabase();
    await copying.reached;
    const closed = broker.call("DELETE", `/v1/builds/${buildId}`);
    copying.open();
    expect((await closed).status).toBeLessThan(300);
    const [row] = await broker.running().deps.store.read.transfers.listByBuild(buildId);
    expect(row).toMatchObject({ state: "cancelled", lastError: { code: "build_closed" } });
    expect(tablesOf("own-database")).toEqual([]);
  });
});
