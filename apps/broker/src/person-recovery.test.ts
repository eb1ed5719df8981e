import type { AuditList, AuditMatches, ErrorEnvelope, RecoveryCode } from "@keyloan/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { callIn, openPage, openPageBy, type TestBrowser } from "./testing/open-page.ts";
import { savedBuild, switchAll } from "./testing/saved-build.ts";

let broker: TestBroker;
beforeAll(async () => {
  broker = await createTestBroker({ emulators: [] });
});
afterAll(() => broker.close());

const codeOf = (answer: Answer) => (answer.body as ErrorEnvelope).error.code;
const tryCode = (recovery: string, browser: TestBrowser = new Map(), headers = {}) =>
  callIn(broker, browser, "POST", "/v1/session", { body: { recovery }, headers });
const anHour = 3_600_000;

describe("a recovery code", () => {
  it("opens the page in any browser without a link, and that browser is known from then on", async () => {
    const { id, recovery } = await savedBuild(broker);
    const browser: TestBrowser = new Map();
    const page = await openPageBy(
      broker,
      { recovery: ` ${recovery.toUpperCase().replaceAll("-", " ")}` },
      browser,
    );
    expect(page.session.buildId).toBe(id);
    expect((await page.settings()).person.standing).toBe("you");
    expect((await page.save("app-secrets", {})).status).toBe(200);
    await page.call("DELETE", "/v1/session");
    expect((await (await openPageBy(broker, { buildId: id }, browser)).settings()).person.standing).toBe(
      "you",
    );
  });

  it("opens as often as it is used, also twice at once, in browsers of their own", async () => {
    const { recovery } = await savedBuild(broker);
    const pages = await Promise.all([openPageBy(broker, { recovery }), openPageBy(broker, { recovery })]);
    const cookies = pages.map(({ browser }) => browser.get("keyloan_person"));
    expect(new Set(cookies).size).toBe(2);
    for (const page of pages) expect((await page.settings()).person.standing).toBe("you");
  });

  it("ends when the person makes a new one, and nobody else can", async () => {
    const { id, page, recovery } = await savedBuild(broker);
    const stranger = await openPage(broker, id);
    expect((await stranger.call("POST", "/v1/settings/recovery")).status).toBe(403);
    const made = await page.call("POST", "/v1/settings/recovery");
    expect(made.status).toBe(201);
    const { code } = made.body as RecoveryCode;
    const old = await tryCode(recovery);
    expect([old.status, codeOf(old)]).toEqual([401, "unauthenticated"]);
    expect((await tryCode(code)).status).toBe(201);
  });

  it("ends, when a new one is made, all that the old one has opened, and nothing of who makes it", async () => {
    const { id, page, recovery } = await savedBuild(broker);
    const other = await savedBuild(broker);
    const thief = await openPageBy(broker, { recovery });
    const cookieOf = ({ browser }: { browser: TestBrowser }): TestBrowser =>
      new Map([...browser].filter(([name]) => name === "keyloan_person"));
    const later = cookieOf(thief);
    const copy = cookieOf(page);
    expect((await page.call("POST", "/v1/settings/recovery")).status).toBe(201);
    expect((await callIn(broker, copy, "POST", "/v1/session", { body: { buildId: id } })).status).toBe(401);
    expect(codeOf(await thief.call("GET", "/v1/settings"))).toBe("session_expired");
    expect((await callIn(broker, later, "POST", "/v1/session", { body: { buildId: id } })).status).toBe(401);
    expect((await callIn(broker, later, "GET", "/v1/person")).body).toEqual({ builds: [] });
    expect((await page.settings()).person.standing).toBe("you");
    expect((await openPageBy(broker, { buildId: id }, page.browser)).session.buildId).toBe(id);
    expect((await other.page.settings()).person.standing).toBe("you");
    const { events } = (await broker.call("GET", `/v1/audit?entity=${id}&action=person.recovery_renewed`))
      .body as AuditList;
    expect(events).toMatchObject([{ details: { visitsEnded: 1, browsersForgotten: 1 } }]);
  });

  it("ends what the old one has opened for downloads under way too", async () => {
    const { id, page, recovery } = await savedBuild(broker);
    await switchAll(page);
    const thief = await openPageBy(broker, { recovery });
    const download = () => thief.call("GET", "/v1/settings/env-file");
    expect((await download()).status).toBe(200);
    await Promise.all([page.call("POST", "/v1/settings/recovery"), ...Array.from({ length: 10 }, download)]);
    const { events } = (await broker.call("GET", `/v1/audit?entity=${id}&limit=50`)).body as AuditList;
    const actions = events.map(({ action }) => action).toReversed();
    const after = actions.slice(actions.indexOf("person.recovery_renewed"));
    expect(after).not.toContain("env_file.read");
  });

  it("is made by one of two visits at once, and the other ends without one", async () => {
    const { page, recovery } = await savedBuild(broker);
    const thief = await openPageBy(broker, { recovery });
    const made = await Promise.all([page, thief].map((each) => each.call("POST", "/v1/settings/recovery")));
    expect(made.map(({ status }) => status).toSorted()).toEqual([201, 401]);
  });

  it("is not made before something is saved", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const page = await openPage(broker, id);
    expect(codeOf(await page.call("POST", "/v1/settings/recovery"))).toBe("conflict");
  });

  it("opens nothing when its build is closed", async () => {
    const { id, page, recovery } = await savedBuild(broker);
    await broker.call("DELETE", `/v1/builds/${id}`);
    expect(codeOf(await tryCode(recovery))).toBe("build_closed");
    expect((await callIn(broker, page.browser, "GET", "/v1/person")).body).toEqual({ builds: [] });
  });

  it("is kept as a hash alone", async () => {
    const { id, recovery } = await savedBuild(broker);
    const person = await broker.running().deps.store.read.persons.findByBuild(id);
    expect(person?.recoveryHash).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(person)).not.toContain(recovery.slice(-6));
  });
});

describe("a proof that leaked", () => {
  it.each(["recovery", "person"])("is known for what it is: %s", async (kind) => {
    const { id, page, recovery } = await savedBuild(broker);
    const value = kind === "recovery" ? recovery : (page.browser.get("keyloan_person") ?? "");
    const find = async () =>
      ((await broker.call("POST", "/v1/audit/matches", { body: { values: [value] } })).body as AuditMatches)
        .matches;
    expect(await find()).toMatchObject([{ what: "token", kind, buildId: id, alive: true }]);
    await broker.call("DELETE", `/v1/builds/${id}`);
    expect(await find()).toMatchObject([{ kind, alive: false }]);
  });
});

describe("tries at recovery codes", () => {
  it("are five wrong ones an hour for an address, counted before anything is looked up, and right ones cost nothing", async () => {
    broker.advance(anHour);
    const { recovery } = await savedBuild(broker);
    for (let tries = 5; tries > 0; tries--)
      expect((await tryCode(`${recovery.slice(0, -1)}?`)).status).toBe(401);
    const sixth = await tryCode("anything");
    expect([sixth.status, codeOf(sixth)]).toEqual([429, "rate_limited"]);
    expect(Number(sixth.headers.get("retry-after"))).toBeGreaterThan(600);
    for (let tries = 7; tries > 0; tries--) expect((await tryCode(recovery)).status).toBe(201);
    expect((await tryCode("anything")).status).toBe(429);
    broker.advance(anHour / 5);
    expect((await tryCode("anything")).status).toBe(401);
  });

  it("by a neighbour or in the same visit never keep the person from their right code", async () => {
    broker.advance(anHour);
    const { id, page, recovery } = await savedBuild(broker);
    await switchAll(page);
    expect((await page.change("POST", "/v1/settings/finish")).status).toBe(200);
    for (let tries = 6; tries > 0; tries--) await tryCode("wrong");
    expect((await tryCode("wrong")).status).toBe(429);
    expect((await tryCode(recovery)).status).toBe(201);
    const named = { "x-keyloan-build": id };
    for (let tries = 6; tries > 0; tries--) await tryCode("wrong", page.browser, named);
    expect((await tryCode("wrong", page.browser, named)).status).toBe(429);
    expect((await tryCode(recovery, page.browser, named)).status).toBe(201);
  });

  it("with one that has ended are five an hour for it, wherever they come from, and for no other", async () => {
    broker.advance(anHour);
    const { page, recovery: old } = await savedBuild(broker);
    const { code } = (await page.call("POST", "/v1/settings/recovery")).body as RecoveryCode;
    for (let tries = 5; tries > 0; tries--) expect((await tryCode(old)).status).toBe(401);
    expect((await tryCode(old)).status).toBe(429);
    // They were made here, so they say nothing against who sits at this address.
    expect((await tryCode("wrong")).status).toBe(401);
    expect((await tryCode(code)).status).toBe(201);
  });

  it("of a visit count for that visit, and never for its build", async () => {
    broker.advance(anHour);
    const { id, recovery } = await savedBuild(broker);
    const noisy = await openPage(broker, id);
    const calm = await openPage(broker, id);
    const named = { "x-keyloan-build": id };
    for (let tries = 5; tries > 0; tries--)
      expect((await tryCode("wrong", noisy.browser, named)).status).toBe(401);
    expect((await tryCode("wrong", noisy.browser, named)).status).toBe(429);
    expect((await tryCode(recovery, calm.browser, named)).status).toBe(201);
    // A cookie that was made up is no visit: it counts for the address.
    const madeUp = () => new Map([[`keyloan_session_${id}`, `klo_ses_${"A".repeat(43)}`]]);
    const statuses: number[] = [];
    for (let tries = 6; tries > 0; tries--) statuses.push((await tryCode("wrong", madeUp(), named)).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
  });
});

describe("what tokens may do", () => {
  it("is nothing until the person allows it, and is for the person alone to say", async () => {
    const { id, page } = await savedBuild(broker);
    const stranger = await openPage(broker, id);
    const body = { tokensMay: ["transfer"] };
    expect((await stranger.change("PUT", "/v1/settings/tokens-may", body)).status).toBe(403);
    expect((await stranger.settings()).person.tokensMay).toBeUndefined();
    expect((await page.settings()).person.tokensMay).toEqual([]);
    const allowed = await page.change("PUT", "/v1/settings/tokens-may", body);
    expect(allowed.body).toMatchObject({ person: { tokensMay: ["transfer"] } });
    const stale = await page.call("PUT", "/v1/settings/tokens-may", { tokensMay: [], expectedVersion: 0 });
    expect(codeOf(stale)).toBe("settings_changed");
    await page.change("PUT", "/v1/settings/tokens-may", { tokensMay: [] });
    const person = await broker.running().deps.store.read.persons.findByBuild(id);
    expect(person?.allows).toEqual([]);
  });
});
