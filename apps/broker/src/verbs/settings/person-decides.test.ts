import type { AuditList, ErrorEnvelope, TokenPermission } from "@keyloan/contract";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { allowTokens } from "../../testing/allow-tokens.ts";
import type { TestBroker } from "../../testing/create-test-broker.ts";
import { finishWork } from "../../testing/finish-work.ts";
import {
  createMemoryBroker,
  emptyOwn,
  type MemoryBroker,
  saveOwn,
  tokensOf,
} from "../../testing/memory-broker.ts";
import type { MemoryConnectors } from "../../testing/memory-connectors.ts";
import { openPage, type TestPage } from "../../testing/open-page.ts";

let memory: MemoryConnectors;
let broker: TestBroker;
let close: MemoryBroker["close"];
let tokens: Readonly<Record<"admin" | "platform", string>>;
let page: TestPage;
let buildId: string;

beforeAll(async () => {
  ({ memory, broker, close } = await createMemoryBroker());
  tokens = await tokensOf(broker);
});
afterAll(() => close());
beforeEach(async () => {
  emptyOwn(memory);
  buildId = (await broker.createBuild()).id;
  const lent = (await broker.readEnv(buildId)).MEMORY_DATABASE_NAME ?? "";
  memory.write(lent, "CREATE TABLE notes (id)");
  page = await openPage(broker, buildId);
});

// A move that still ran would write into the next test's database.
afterEach(async () => {
  await broker.call("DELETE", `/v1/builds/${buildId}`);
  await finishWork(broker.running().deps, buildId);
});

type Holder = keyof typeof tokens;
const holders = ["admin", "platform"] as const;
const error = (answer: { body: unknown }) => (answer.body as ErrorEnvelope).error;
const call = (holder: Holder, path: string, body: Record<string, unknown> = {}) =>
  broker.call("POST", `/v1/builds/${buildId}/${path}`, { token: tokens[holder], body });
const save = () => saveOwn(page);
const swap = async () => {
  const body = { expectedVersion: await page.version() };
  expect((await page.call("POST", "/v1/settings/swap", body)).status).toBe(200);
};
const transfers = () => broker.running().deps.store.read.transfers.listByBuild(buildId);
const untilState = (state: string) =>
  expect
    .poll(async () => (await transfers()).map((row) => [row.state, row.endedAt === null].join()), {
      timeout: 15_000,
    })
    .toEqual([`${state},${state === "copied"}`]);
const sources = async () => (await page.settings()).bindings.map(({ source }) => source);

const actions: readonly [path: string, kind: TokenPermission][] = [
  ["transfers", "transfer"],
  ["transfers/resume", "transfer"],
  ["transfers/cancel", "transfer"],
  ["revert", "revert"],
];
const attempts = actions.flatMap(([path, kind]) => holders.map((holder) => [holder, path, kind] as const));

describe("a token acts with what the user saved only as they allow it", () => {
  it.each(attempts)("%s: %s", async (holder, path, kind) => {
    expect(error(await call(holder, path)).code).not.toBe("person_decides");
    await save();
    const refused = await call(holder, path);
    expect([refused.status, error(refused).code, error(refused).details]).toEqual([
      403,
      "person_decides",
      { kind },
    ]);
    await allowTokens(broker, buildId, kind === "transfer" ? "revert" : "transfer");
    expect(error(await call(holder, path)).code).toBe("person_decides");
    await allowTokens(broker, buildId, kind);
    const allowed = await call(holder, path);
    expect(allowed.status === 202 || [409].includes(allowed.status)).toBe(true);
  });

  it.each(holders)("%s: moving, stopping and going back work when they allow it", async (holder) => {
    await save();
    await allowTokens(broker, buildId, "transfer", "revert");
    const only = { connectors: ["memory-database"] };
    expect((await call(holder, "transfers", only)).status).toBe(202);
    await untilState("copied");
    expect((await call(holder, "transfers/cancel")).status).toBe(202);
    await untilState("cancelled");
    expect((await call(holder, "transfers/resume")).status).toBe(202);
    await untilState("copied");
    await swap();
    expect((await call(holder, "revert")).status).toBe(200);
    expect(await sources()).toEqual(["org", "org"]);
  });

  it.each(holders)("%s: never replaces what is in their account, whatever they allow", async (holder) => {
    await save();
    await allowTokens(broker, buildId, "transfer", "revert");
    memory.databases.database("own-database").exec("CREATE TABLE mine (id)");
    const only = { connectors: ["memory-database"] };
    const started = await call(holder, "transfers", { ...only, overwrite: true });
    expect([started.status, error(started).code]).toEqual([403, "person_decides"]);
    // Nor by going on with what the user began so.
    expect((await page.call("POST", "/v1/settings/transfer", { ...only, overwrite: true })).status).toBe(202);
    await untilState("copied");
    await page.call("POST", "/v1/settings/transfer/cancel", {});
    await untilState("cancelled");
    memory.databases.database("own-database").exec("CREATE TABLE mine (id)");
    for (const body of [{}, { overwrite: true }, { overwrite: false }])
      expect(error(await call(holder, "transfers/resume", body)).code).toBe("person_decides");
    const { databases } = memory;
    expect(databases.database("own-database").prepare("SELECT count(*) AS n FROM mine").get()).toEqual({
      n: 0,
    });
  });
});

describe("the admin", () => {
  it("goes back with a reason, which the page shows until the user switches again", async () => {
    await save();
    await swap();
    const reason = "Your database answers errors; we look into it.";
    const answer = await call("admin", "revert", { reason });
    expect([answer.status, await sources()]).toEqual([200, ["org", "org"]]);
    expect((await page.settings()).adminRevert).toEqual({ at: expect.any(String), reason });
    const { events } = (await broker.call("GET", `/v1/audit?entity=${buildId}&action=keys.reverted`))
      .body as AuditList;
    expect(events).toMatchObject([{ actor: "admin:admin", details: { reason } }]);
    await expect
      .poll(() => broker.logs.some((line) => line.includes("keys.reverted") && line.includes(buildId)), {
        timeout: 10_000,
      })
      .toBe(true);
    await swap();
    expect((await page.settings()).adminRevert).toBeUndefined();
  });

  it.each([
    ["no reason", "admin", {}, 403],
    ["an empty one", "admin", { reason: "  " }, 422],
    ["one that is too long", "admin", { reason: "x".repeat(501) }, 422],
    ["one, but is a platform", "platform", { reason: "we want to" }, 403],
  ] as const)("does not with %s", async (_what, holder, body, status) => {
    await save();
    await swap();
    expect((await call(holder, "revert", body)).status).toBe(status);
    expect(await sources()).toEqual(["user", "user"]);
  });
});
