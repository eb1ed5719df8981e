import { connectors as allConnectors } from "@keyloan/connectors";
import type { BuildView, ErrorEnvelope } from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TestBroker } from "../../testing/create-test-broker.ts";
import { finishWork } from "../../testing/finish-work.ts";
import {
  createMemoryBroker,
  type MemoryBroker,
  memoryConnectorIds,
  saveOwn,
  tokensOf,
} from "../../testing/memory-broker.ts";
import type { MemoryConnectors } from "../../testing/memory-connectors.ts";
import { openPage, type TestPage } from "../../testing/open-page.ts";
import { watchUsage } from "../databases/watch-usage.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const { signal } = new AbortController();
const holders = ["admin", "platform"] as const;
const both = memoryConnectorIds;

let memory: MemoryConnectors;
let broker: TestBroker;
let close: MemoryBroker["close"];
let page: TestPage;
let buildId: string;
let lent: string;
let tokens: Readonly<Record<(typeof holders)[number], string>>;

beforeEach(async () => {
  const config = { archiveAfterDays: 0.25, revertHours: 24 };
  const generated = allConnectors.filter(({ spec }) => spec.id === "app-secrets");
  ({ memory, broker, close } = await createMemoryBroker({ config }, (own) => [...own, ...generated]));
  tokens = await tokensOf(broker);
  buildId = (await broker.createBuild({ connectors: both, ttlSeconds: 7 * 24 * 3600 })).id;
  lent = (await broker.readEnv(buildId)).MEMORY_DATABASE_NAME ?? "";
  memory.write(lent, "CREATE TABLE notes (id)");
  page = await openPage(broker, buildId);
  await saveOwn(page);
});
afterEach(() => close());

type Holder = (typeof holders)[number];
const deps = () => broker.running().deps;
const lease = async () => {
  const { leases } = (await broker.call("GET", `/v1/builds/${buildId}`)).body as BuildView;
  return leases.find(({ connector }) => connector === "memory-database") ?? expect.fail("no lease");
};
const swap = async (mayPreview: boolean, connectors = both) => {
  const preview = Object.fromEntries(connectors.map((id) => [id, mayPreview]));
  expect((await page.change("POST", "/v1/settings/swap", { connectors, preview })).status).toBe(200);
};
const archive = (holder: Holder = "platform") =>
  broker.call("POST", `/v1/builds/${buildId}/databases/memory-database/archive`, { token: tokens[holder] });
const revoke = async (holder: Holder = "platform") =>
  broker.call("DELETE", `/v1/leases/${(await lease()).id}`, { token: tokens[holder] });
const answerOf = ({ status, body }: { status: number; body: unknown }) => [
  status,
  (body as ErrorEnvelope).error?.code,
  (body as ErrorEnvelope).error?.details,
];
const refused = [403, "person_decides", { kind: "lent" }];
const goesBack = async () => {
  expect((await page.change("POST", "/v1/settings/revert")).status).toBe(200);
  expect((await broker.readEnv(buildId)).MEMORY_DATABASE_NAME).toBe(lent);
};
/** Looks at the usage as often as the schedule does, while nobody uses the database. */
const lieIdle = async (forMs: number) => {
  for (let left = forMs; left > 0; left -= 6 * hourMs) {
    await watchUsage(deps(), signal);
    broker.advance(6 * hourMs);
  }
  await watchUsage(deps(), signal);
  await finishWork(deps(), buildId);
};

describe("after a switch, while its user can go back, what was lent", () => {
  it.each(holders.flatMap((holder) => [true, false].map((mayPreview) => [holder, mayPreview] as const)))(
    "is neither archived nor revoked by a token: %s, the preview may use the user's own: %s",
    async (holder, mayPreview) => {
      await swap(mayPreview);
      expect(answerOf(await archive(holder))).toEqual(refused);
      expect(answerOf(await revoke(holder))).toEqual(refused);
      await finishWork(deps(), buildId);
      expect((await lease()).state).toBe("active");
      await goesBack();
    },
  );

  it.each(holders)(
    "gets other credentials by a token, and the way back leads to them: %s",
    async (holder) => {
      const { id, leases } = await broker.createBuild({ connectors: ["app-secrets"] });
      const first = await broker.readEnv(id);
      const own = { JWT_SECRET: "ab".repeat(32), CHECKOUT_TOKEN_SECRET: "cd".repeat(24) };
      const mine = await openPage(broker, id);
      expect((await mine.save("app-secrets", own)).status).toBe(200);
      const preview = { "app-secrets": false };
      expect((await mine.change("POST", "/v1/settings/swap", { preview })).status).toBe(200);
      const request = { token: tokens[holder], body: { overlapSeconds: 0 } };
      expect((await broker.call("POST", `/v1/leases/${leases[0]?.id}/rotation`, request)).status).toBe(202);
      await finishWork(deps(), id);
      const second = await broker.readEnv(id);
      expect([first.JWT_SECRET, own.JWT_SECRET]).not.toContain(second.JWT_SECRET);
      expect((await mine.change("POST", "/v1/settings/revert")).status).toBe(200);
      expect(await broker.readEnv(id)).toEqual(second);
    },
  );

  it.each([true, false])(
    "is not archived for lying idle: the preview may use the user's own: %s",
    async (may) => {
      await swap(may);
      await lieIdle(18 * hourMs);
      expect((await lease()).state).toBe("active");
      page = await openPage(broker, buildId, page.browser);
      await goesBack();
    },
  );

  it("is not archived by a job that was started before", async () => {
    const reached = Promise.withResolvers<void>();
    const open = Promise.withResolvers<void>();
    memory.databases.trouble[lent] = {
      dump: async () => {
        reached.resolve();
        await open.promise;
      },
    };
    expect((await archive()).status).toBe(202);
    await reached.promise;
    await swap(false);
    open.resolve();
    broker.advance(60_000);
    await finishWork(deps(), buildId);
    expect([(await lease()).state, memory.frozen.has(lent)]).toEqual(["active", false]);
    await goesBack();
  });

  it("ends when the admin revokes all of a connector, and no way back is promised any more", async () => {
    await swap(false);
    const before = await page.settings();
    const body = { connector: "memory-database" };
    expect((await broker.call("POST", "/v1/leases/revoke", { body })).body).toMatchObject({ leases: 1 });
    await finishWork(deps(), buildId);
    expect((await lease()).state).toBe("released");
    const { revertibleUntil, lendingEndsAt } = await page.settings();
    expect([before.revertibleUntil, revertibleUntil]).toEqual([lendingEndsAt, undefined]);
    expect(answerOf(await page.change("POST", "/v1/settings/revert"))[1]).toBe("not_revertible");
  });

  it("ends with the build, which stays its maker's to close", async () => {
    await swap(false);
    expect(
      (await broker.call("DELETE", `/v1/builds/${buildId}`, { token: tokens.platform })).status,
    ).toBeLessThan(300);
  });
});

describe("after the time to go back", () => {
  it.each([
    ["stays where the user said no to the preview, which uses it", false, refused, "active"],
    [
      "is archived and revoked as before the switch where they said yes",
      true,
      [202, undefined, undefined],
      "archived",
    ],
  ] as const)("what was lent %s", async (_what, mayPreview, expected, state) => {
    await swap(mayPreview, ["memory-database"]);
    broker.advance(dayMs + 1);
    expect(answerOf(await archive())).toEqual(expected);
    await finishWork(deps(), buildId);
    expect((await lease()).state).toBe(state);
    if (mayPreview) expect((await revoke()).status).toBeLessThan(300);
    else expect(answerOf(await revoke())).toEqual(refused);
  });
});

describe("what a user has not switched", () => {
  it("is archived and revoked by tokens as before", async () => {
    await swap(false, ["memory-files"]);
    expect((await archive()).status).toBe(202);
    await finishWork(deps(), buildId);
    expect((await lease()).state).toBe("archived");
    expect((await revoke()).status).toBeLessThan(300);
  });
});
