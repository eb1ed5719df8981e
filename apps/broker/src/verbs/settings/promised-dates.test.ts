import {
  type AuditList,
  type BuildView,
  type Connector,
  type Handoff,
  limits,
  ProviderError,
  type SettingsView,
  type VisitList,
} from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allowTokens } from "../../testing/allow-tokens.ts";
import type { Answer, TestBroker } from "../../testing/create-test-broker.ts";
import { finishWork } from "../../testing/finish-work.ts";
import {
  createMemoryBroker,
  type MemoryBroker,
  memoryConnectorIds,
  saveOwn,
} from "../../testing/memory-broker.ts";
import type { MemoryConnectors } from "../../testing/memory-connectors.ts";
import { openPageBy, type TestPage } from "../../testing/open-page.ts";
import { sweepExpired } from "../builds/sweep-expired.ts";
import { endDueLendings } from "../lending/end-lending.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const { signal } = new AbortController();
const both = memoryConnectorIds;

let memory: MemoryConnectors;
let broker: TestBroker;
let close: MemoryBroker["close"];
let page: TestPage;
let buildId: string;

/** Whether the provider refuses to renew. */
let isRefused: boolean;

/** The same, renewed by issuing again. */
function renewable(connector: Connector): Connector {
  const { issuer } = connector;
  if (issuer === undefined) return connector;
  const renew: typeof issuer.issue = async (...args) => {
    if (!isRefused) return issuer.issue(...args);
    throw new ProviderError(connector.spec.id, "forbidden", "may not renew");
  };
  return { ...connector, issuer: { ...issuer, renew } };
}

beforeEach(async () => {
  isRefused = false;
  ({ memory, broker, close } = await createMemoryBroker({}, (connectors) => connectors.map(renewable)));
  buildId = (await broker.createBuild({ connectors: both })).id;
  const lent = (await broker.readEnv(buildId)).MEMORY_DATABASE_NAME ?? "";
  memory.write(lent, "CREATE TABLE notes (id)");
  // A link renews its build to half a day past its own end: a short one leaves the build its own time.
  const { url } = (await post("handoff", { ttlSeconds: 60 })).body as Handoff;
  page = await openPageBy(broker, { code: new URL(url).hash.replace("#code=", "") });
  await saveOwn(page);
});
afterEach(() => close());

const deps = () => broker.running().deps;
const post = (path: string, body: Record<string, unknown> = {}) =>
  broker.call("POST", `/v1/builds/${buildId}/${path}`, { body });
const leaseId = async () => {
  const { leases } = (await broker.call("GET", `/v1/builds/${buildId}`)).body as BuildView;
  return (leases.find(({ connector }) => connector === "memory-database") ?? expect.fail("no lease")).id;
};
const visitId = async () => {
  const { sessions } = (await broker.call("GET", `/v1/builds/${buildId}/sessions`)).body as VisitList;
  return sessions[0]?.id;
};
const swap = async (connectors = both) => {
  const preview = Object.fromEntries(connectors.map((id) => [id, false]));
  expect((await page.change("POST", "/v1/settings/swap", { connectors, preview })).status).toBe(200);
};
const reopen = async () => {
  page = await openPageBy(broker, { buildId }, page.browser);
};
const goesBack = async () => (await page.change("POST", "/v1/settings/revert")).status;
const savedKeys = async () => (await deps().store.read.userKeys.listByBuild(buildId)).length;
/** What the schedule does every minute. */
const sweep = async () => {
  await endDueLendings(deps(), signal);
  await sweepExpired(deps());
  await finishWork(deps(), buildId);
};
const time = (text: string | undefined) => (text === undefined ? Number.NaN : Date.parse(text));

type Act = () => Promise<Answer>;
const rollback: Act = () => post("revert", { reason: "Your database answers errors." });
const allowedRevert: Act = async () => {
  await allowTokens(broker, buildId, "revert");
  return post("revert");
};
/** What an operator or a platform can do to a build but close it. */
const acts: readonly [string, Act][] = [
  ["renews for a minute", () => post("renew", { ttlSeconds: limits.ttlSecondsMin })],
  ["makes a link for a minute", () => post("handoff", { ttlSeconds: 60 })],
  ["archives what was lent", () => post("databases/memory-database/archive")],
  ["revokes what was lent", async () => broker.call("DELETE", `/v1/leases/${await leaseId()}`)],
  [
    "replaces its credentials",
    async () =>
      broker.call("POST", `/v1/leases/${await leaseId()}/rotation`, { body: { overlapSeconds: 0 } }),
  ],
  ["ends a visit", async () => broker.call("DELETE", `/v1/builds/${buildId}/sessions/${await visitId()}`)],
];

/** Acts, and does what was begun. @returns the dates of before and of after */
async function around(act: Act): Promise<readonly [SettingsView, SettingsView]> {
  const before = await page.settings();
  await act();
  await finishWork(deps(), buildId);
  await reopen();
  return [before, await page.settings()];
}

describe("no date that the page told before comes earlier when somebody", () => {
  it.each(acts)("%s before the switch", async (_what, act) => {
    const [before, after] = await around(act);
    expect(time(after.build.keptUntil)).toBeGreaterThanOrEqual(time(before.build.keptUntil));
    broker.advance(time(before.build.keptUntil) - broker.now() - minuteMs);
    await sweep();
    expect(await savedKeys()).toBe(2);
  });

  it.each(acts)("%s after the switch, and the way back is there until its end", async (_what, act) => {
    await swap();
    const [before, after] = await around(act);
    expect([after.build.keptUntil, after.revertibleUntil, after.lendingEndsAt]).toEqual([
      before.build.keptUntil,
      before.revertibleUntil,
      before.lendingEndsAt,
    ]);
    broker.advance(time(before.revertibleUntil) - broker.now() - minuteMs);
    await sweep();
    await reopen();
    expect(await goesBack()).toBe(200);
  });

  it.each(acts)("%s after the finish", async (_what, act) => {
    await swap();
    expect((await page.change("POST", "/v1/settings/finish")).status).toBe(200);
    const [before, after] = await around(act);
    expect(after.build.keptUntil).toBe(before.build.keptUntil);
    broker.advance(time(before.build.keptUntil) - broker.now() - minuteMs);
    await sweep();
    expect(await savedKeys()).toBe(2);
  });

  it.each([
    ["the admin, with a reason", rollback],
    ["a token that may", allowedRevert],
    ["the user", () => page.change("POST", "/v1/settings/revert")],
  ] as const)("goes back at the last minute: %s", async (_who, act) => {
    await swap();
    broker.advance(24 * hourMs - 5 * minuteMs);
    await reopen();
    const [before, after] = await around(act);
    expect(after.bindings.map(({ source }) => source)).toEqual(["org", "org"]);
    expect(after.build.keptUntil).toBe(before.build.keptUntil);
    // The lent keys work for a day more, as after a switch.
    expect(time(after.lentUntil) - broker.now()).toBeGreaterThan(23 * hourMs);
    broker.advance(6 * minuteMs);
    await sweep();
    expect(await savedKeys()).toBe(2);
    await broker.readEnv(buildId);
    // Also when nobody has renewed anything since: the page, and the switch, are there until the end it told.
    broker.advance(time(before.build.keptUntil) - broker.now() - hourMs);
    await sweep();
    await reopen();
    await swap();
    expect(await savedKeys()).toBe(2);
  });
});

describe("a date that cannot be kept is not told", () => {
  it("goes back though nothing can be renewed, and tells until when the lent keys work", async () => {
    isRefused = true;
    await swap();
    const { revertibleUntil, build } = await page.settings();
    broker.advance(time(revertibleUntil) - broker.now() - 5 * minuteMs);
    await reopen();
    expect((await rollback()).status).toBe(200);
    const after = await page.settings();
    expect([after.lentUntil, after.build.keptUntil]).toEqual([revertibleUntil, build.keptUntil]);
    broker.advance(6 * minuteMs);
    await sweep();
    expect(await savedKeys()).toBe(2);
  });

  it.each([
    ["archived", () => post("databases/memory-database/archive")],
    ["revoked", async () => broker.call("DELETE", `/v1/leases/${await leaseId()}`)],
  ] as const)("a switch promises no way back to what a token has %s before it", async (_how, act) => {
    expect((await page.settings()).canGoBack).toBe(true);
    await act();
    await finishWork(deps(), buildId);
    expect((await page.settings()).canGoBack).toBe(false);
    await swap();
    const { revertibleUntil, lendingEndsAt } = await page.settings();
    expect([revertibleUntil, lendingEndsAt]).toEqual([undefined, expect.any(String)]);
    const { events } = (await broker.call("GET", `/v1/audit?entity=${buildId}&action=keys.swapped`))
      .body as AuditList;
    expect(events).toMatchObject([{ details: { revertibleUntil: null } }]);
    expect(await goesBack()).toBe(409);
  });

  it("a way back that opens again with what was archived is promised, and there", async () => {
    await post("databases/memory-database/archive");
    await finishWork(deps(), buildId);
    await swap();
    expect((await post("databases/memory-database/restore")).status).toBe(202);
    await finishWork(deps(), buildId);
    expect((await page.settings()).revertibleUntil).toBeDefined();
    expect(await goesBack()).toBe(200);
  });

  it("a visit ends no later than its build", async () => {
    const { keptUntil } = (await page.settings()).build;
    broker.advance(time(keptUntil) - broker.now() - 10 * minuteMs);
    await reopen();
    expect((await page.settings()).session.expiresAt).toBe(keptUntil);
  });
});
