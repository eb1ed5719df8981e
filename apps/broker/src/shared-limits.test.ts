import type { BuildView } from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Answer, createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { callIn, createCode, openPage, openPageBy, type TestPage } from "./testing/open-page.ts";
import { savedBuild } from "./testing/saved-build.ts";

// So high that only what is limited for its own sake is, and so low that nothing is twice.
const fast = { rateLimitPerSecond: 10_000 };
const once = { rateLimitPerSecond: 0.002 };

let broker: TestBroker;

beforeEach(async () => {
  broker = await createTestBroker({ emulators: ["turso", "r2"] });
  broker.stopClock();
  await broker.putOrgKeys();
});
afterEach(() => broker.close());

const statusesOf = (answers: readonly Answer[]) => answers.map(({ status }) => status);
const read = async (page: TestPage) => (await page.call("GET", "/v1/settings")).status;
const personOnly = (page: TestPage) =>
  new Map([["keyloan_person", page.browser.get("keyloan_person") ?? ""]]);

async function inTurn<Item, Result>(items: readonly Item[], call: (item: Item) => Promise<Result>) {
  const results: Result[] = [];
  for (const item of items) results.push(await call(item));
  return results;
}
function expectTwenty(statuses: readonly number[]) {
  expect(statuses.slice(0, 20)).not.toContain(429);
  expect(new Set(statuses.slice(20))).toEqual(new Set([429]));
}
const times = (count: number) => Array.from({ length: count }, (_none, index) => index);

describe("the visits of a build", () => {
  it("of one person are limited as one, and those of another build are not", async () => {
    const { id, page } = await savedBuild(broker);
    const other = await savedBuild(broker);
    const visits = await inTurn(times(4), () => openPageBy(broker, { buildId: id }, personOnly(page)));
    await broker.restart(once);
    expect(await inTurn(visits, read)).toEqual([200, 429, 429, 429]);
    expect(await read(other.page)).toBe(200);
  });

  it("of one person are limited as one, also beside known tokens of other builds", async () => {
    const { page } = await savedBuild(broker);
    const made = await inTurn(times(4), () => broker.createBuild({ connectors: ["app-secrets"] }));
    const ids = [...made, ...made, ...made].map(({ id }) => id);
    const tokens = await inTurn(ids, async (id) => ({ id, token: await broker.createBuildToken(id) }));
    await broker.restart({ rateLimitPerSecond: 1 });
    const known = ({ id, token }: (typeof tokens)[number]) =>
      broker.call("GET", `/v1/builds/${id}/env`, { token });
    expect(new Set(statusesOf(await inTurn(tokens, known)))).toEqual(new Set([200]));
    const readBeside = ({ token }: (typeof tokens)[number]) =>
      page.call("GET", "/v1/settings", undefined, { authorization: `Bearer ${token}` });
    expect(statusesOf(await inTurn(tokens, readBeside))).toEqual([200, 200, ...Array(10).fill(429)]);
  });

  it("of one person check as many keys as one does", async () => {
    const { id, page } = await savedBuild(broker);
    const visits = await inTurn(times(4), () => openPageBy(broker, { buildId: id }, personOnly(page)));
    await broker.restart(fast);
    const answers = await inTurn(times(32), (index) =>
      (visits[index % 4] ?? page).call("POST", "/v1/settings/keys/app-secrets/validate", {}),
    );
    expect(statusesOf(answers).filter((status) => status !== 429)).toHaveLength(20);
  });

  it("of visitors who are not the person share a bucket that is not the person's", async () => {
    const { id, page } = await savedBuild(broker);
    const visitors = await inTurn(times(6), () => openPage(broker, id));
    await broker.restart(once);
    expect(await inTurn(visitors, read)).toEqual([200, 200, 200, 200, 429, 429]);
    expect(await read(page)).toBe(200);
  });

  it("that one person has open are bounded: the oldest ends", async () => {
    const { id, page, recovery } = await savedBuild(broker);
    const visits = [page];
    for (const index of times(9)) {
      broker.advance(1_000);
      const opener = index % 2 === 0 ? { buildId: id } : { recovery };
      const visit = await openPageBy(broker, opener, personOnly(page));
      visits.push(visit);
      page.browser.set("keyloan_person", visit.browser.get("keyloan_person") ?? "");
    }
    expect(await inTurn(visits, read)).toEqual([401, 401, 200, 200, 200, 200, 200, 200, 200, 200]);
    const visitor = await openPage(broker, id);
    expect([await read(visitor), ...(await inTurn(visits.slice(2), read))]).toEqual(Array(9).fill(200));
  });

  it.each(["browser", "recovery code"])("are opened by one %s only so often", async (how) => {
    const { id, page, recovery } = await savedBuild(broker);
    const code = await createCode(broker, id);
    await broker.restart(fast);
    const { browser } = page;
    const body = how === "browser" ? { buildId: id } : { recovery };
    // With the visit that was opened last, as a browser does.
    const answers = await inTurn(times(36), () => callIn(broker, browser, "POST", "/v1/session", { body }));
    expectTwenty(statusesOf(answers));
    expect((await callIn(broker, new Map(), "POST", "/v1/session", { body: { code } })).status).toBe(201);
  });
});

describe("the limit on visits of a recovery code", () => {
  /** The same code beside something by which the request is recognised, or in a body that is not looked into before. */
  it.each(["long body", "body without a length", "token of another", "session of another"])(
    "belongs to the code, whatever else comes with it: %s",
    async (how) => {
      const { recovery } = await savedBuild(broker);
      const other = await savedBuild(broker);
      const session = `keyloan_session_${other.id}=${other.page.cookie}`;
      await broker.restart(fast);
      const text = JSON.stringify({ recovery }) + (how.startsWith("long") ? " ".repeat(2_100) : "");
      const isSecond = (index: number, kind: string) => index % 2 === 1 && how.startsWith(kind);
      const open = async (index: number) => {
        const headers = {
          "content-type": "application/json",
          "x-keyloan-session": "1",
          ...(isSecond(index, "token") ? { authorization: `Bearer ${broker.adminToken}` } : {}),
          ...(isSecond(index, "session") ? { cookie: session } : {}),
        };
        const body = how.endsWith("length") ? new Blob([text]).stream() : text;
        const init = { method: "POST", headers, body, duplex: "half" } as RequestInit;
        return (await fetch(`${broker.url}/v1/session`, init)).status;
      };
      const statuses = await inTurn(times(36), open);
      expect(new Set(statuses)).toEqual(new Set([201, 429]));
      expectTwenty(statuses);
    },
  );

  it("bounds the tries at a link that was used, too", async () => {
    const { id } = await savedBuild(broker);
    const body = { code: await createCode(broker, id) };
    await broker.restart(fast);
    const open = () => callIn(broker, new Map(), "POST", "/v1/session", { body });
    const statuses = statusesOf(await inTurn(times(36), open));
    expect(statuses[0]).toBe(201);
    expectTwenty(statuses);
  });
});

describe("work that reaches beyond the broker", () => {
  it.each([
    ["a dry run of the switch", "POST", "/v1/settings/swap", { dryRun: true, expectedVersion: 1 }],
    ["a switch that is refused", "POST", "/v1/settings/swap", { expectedVersion: 99 }],
    ["going back", "POST", "/v1/settings/revert", { expectedVersion: 1 }],
    ["checking what is saved", "POST", "/v1/settings/keys/app-secrets/recheck", { expectedVersion: 1 }],
    ["a move of data", "POST", "/v1/settings/transfer", {}],
    ["a file of the database", "GET", "/v1/settings/databases/turso/download", undefined],
  ])("is limited for all visits of a person together: %s", async (_what, method, path, body) => {
    const { id, page } = await savedBuild(broker);
    const second = await openPageBy(broker, { buildId: id }, personOnly(page));
    await broker.restart(fast);
    const answers = await inTurn(times(36), (index) =>
      (index % 2 === 0 ? page : second).call(method, path, body),
    );
    expectTwenty(statusesOf(answers));
    expect(await read(page)).toBe(200);
  });

  it("is limited for a person who makes recovery codes, each of which ends the one before", async () => {
    const { page } = await savedBuild(broker);
    await broker.restart(fast);
    const renew = () => page.call("POST", "/v1/settings/recovery");
    const statuses = statusesOf(await inTurn(times(8), renew));
    expect(statuses.slice(0, 5)).toEqual([201, 201, 201, 201, 201]);
    expect(statuses.slice(5)).toContain(429);
  });

  it.each([
    ["a link", "POST", "handoff"],
    ["going back", "POST", "revert"],
    ["a move of data", "POST", "transfers"],
    ["an archive", "POST", "databases/turso/archive"],
    ["a file of a database", "GET", "databases/turso/download"],
  ])("is limited for a token and a build: %s", async (_what, method, path) => {
    const builds = [
      await broker.createBuild({ connectors: ["app-secrets"] }),
      await broker.createBuild({ connectors: ["app-secrets"] }),
    ];
    const made = await broker.call("POST", "/v1/tokens", { body: { name: "p", scopes: ["builds:write"] } });
    const { token } = made.body as { token: string };
    await broker.restart(fast);
    const ask = (id: string | undefined) =>
      broker.call(method, `/v1/builds/${id}/${path}`, { token, ...(method === "GET" ? {} : { body: {} }) });
    expectTwenty(statusesOf(await inTurn(times(36), () => ask(builds[0]?.id))));
    expect((await ask(builds[1]?.id)).status).not.toBe(429);
  });
});

describe("what is limited for a build", () => {
  it("is refused before the body is read and the store asked, once its tokens are known", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const tokens = await inTurn(times(5), () => broker.createBuildToken(id));
    await broker.restart({ rateLimitPerSecond: 1 });
    const env = (token: string) => broker.call("GET", `/v1/builds/${id}/env`, { token });
    expect(statusesOf(await inTurn([...tokens, ...tokens.slice(0, 3)], env))).toEqual(Array(8).fill(200));
    const look = vi.spyOn(broker.running().deps.store.read.tokens, "findByHash");
    const token = tokens[4] ?? "";
    const refused = await broker.call("POST", `/v1/builds/${id}/renew`, { token, body: "{".repeat(70_000) });
    expect([refused.status, look.mock.calls.length]).toEqual([429, 0]);
  });

  it.each([
    [
      "in one visit",
      fast,
      async (page: TestPage) => page.call("POST", "/v1/settings/keys/app-secrets/validate", {}),
      40,
    ],
    ["in several visits", once, async (page: TestPage) => page.call("GET", "/v1/settings"), 1],
  ])("is told to the log once a minute: %s", async (_what, config, call, rounds) => {
    const { id, page } = await savedBuild(broker);
    const visits = await inTurn(times(4), () => openPageBy(broker, { buildId: id }, personOnly(page)));
    await broker.restart(config);
    const told = vi.spyOn(broker.running().deps.logger, "info");
    const pages = rounds === 1 ? visits : times(rounds).map(() => visits[0] ?? page);
    const refused = statusesOf(await inTurn(pages, call)).filter((status) => status === 429);
    expect(refused.length).toBeGreaterThan(2);
    const lines = told.mock.calls.filter(([line]) => (line as { status?: number }).status === 429);
    expect(lines).toHaveLength(1);
  });
});

describe("a renewal", () => {
  const renew = (id: string, token: string, body = {}) =>
    broker.call("POST", `/v1/builds/${id}/renew`, { token, body });
  const endOf = (answer: Answer) => (answer.body as BuildView).expiresAt;
  /** A provider that is asked refuses. */
  const refuseMinting = () =>
    broker.emulators.get("turso")?.faults.add({ kind: "status", status: 403, path: /\/auth\/tokens$/ });

  it("that would move the expiry by less than a tenth answers what is there and asks no provider", async () => {
    const body = { ttlSeconds: 3_600 };
    const { id, expiresAt } = await broker.createBuild({ connectors: ["turso"], ...body });
    const token = await broker.createBuildToken(id);
    const before = await broker.readEnv(id);
    refuseMinting();
    broker.advance(350_000);
    const small = await renew(id, token, body);
    expect([small.status, endOf(small)]).toEqual([200, expiresAt]);
    expect(await broker.readEnv(id)).toEqual(before);
    broker.advance(20_000);
    expect((await renew(id, token, body)).status).toBe(502);
    broker.emulators.get("turso")?.faults.clear();
    expect(Date.parse(endOf(await renew(id, token, body)))).toBeGreaterThan(Date.parse(expiresAt) + 360_000);
    expect(await broker.readEnv(id)).not.toEqual(before);
  });

  it("uses up a token that works once, also when nothing moves", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const token = await broker.createBuildToken(id, { singleUse: true });
    expect([(await renew(id, token)).status, (await renew(id, token)).status]).toEqual([200, 401]);
  });

  it("reaches the renewable end by a step of any size", async () => {
    const { id, renewableUntil } = await broker.createBuild({
      connectors: ["app-secrets"],
      ttlSeconds: 604_800,
    });
    const body = { ttlSeconds: 604_800 };
    while (broker.now() + 604_800_000 < Date.parse(renewableUntil) - 3_600_000) {
      broker.advance(500_000_000);
      await broker.call("POST", `/v1/builds/${id}/renew`, { body });
    }
    broker.advance(3_600_000);
    expect(endOf(await broker.call("POST", `/v1/builds/${id}/renew`, { body }))).toBe(renewableUntil);
  });

  it("mints anew what lives shorter than its build, and nothing else", async () => {
    const r2 = { id: "r2", options: { credentialTtlSeconds: 600 } };
    const made = await broker.createBuild({ connectors: ["turso", r2], ttlSeconds: 604_800 });
    const before = await broker.readEnv(made.id);
    const answer = await renew(made.id, await broker.createBuildToken(made.id));
    expect([answer.status, endOf(answer)]).toEqual([200, made.expiresAt]);
    const after = await broker.readEnv(made.id);
    expect(after.R2_SESSION_TOKEN).not.toBe(before.R2_SESSION_TOKEN);
    expect(after.TURSO_AUTH_TOKEN).toBe(before.TURSO_AUTH_TOKEN);
  });

  it("is limited for all tokens of a build together, and for no other build", async () => {
    const [one, other] = [
      await broker.createBuild({ connectors: ["app-secrets"] }),
      await broker.createBuild({ connectors: ["app-secrets"] }),
    ];
    const tokens = await inTurn(times(8), () => broker.createBuildToken(one.id));
    const otherToken = await broker.createBuildToken(other.id);
    await broker.restart(fast);
    const answers = await inTurn(tokens, (token) => renew(one.id, token));
    expect(statusesOf(answers)).toEqual([...Array(5).fill(200), 429, 429, 429]);
    expect((await renew(other.id, otherToken)).status).toBe(200);
  });

  it("for a link is not made again for the next one", async () => {
    const { id } = await broker.createBuild({ connectors: ["turso"], ttlSeconds: 3_600 });
    await createCode(broker, id);
    const before = await broker.readEnv(id);
    broker.advance(60_000);
    await createCode(broker, id);
    expect(await broker.readEnv(id)).toEqual(before);
  });
});
