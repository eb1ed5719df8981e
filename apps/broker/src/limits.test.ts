import { randomBytes } from "node:crypto";
import { Agent, get, request } from "node:http";
import {
  type BuildView,
  newId,
  newTokenBody,
  type RecoveryCode,
  type TokenFormKind,
  type TokenList,
} from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createApp } from "./app.ts";
import { hashToken } from "./auth/tokens.ts";
import { type Answer, createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { createCode, openPage, openPageBy, recoveryCodeOf, type TestPage } from "./testing/open-page.ts";

// A rate so small that no bucket fills while a test runs: the clock is moved instead.
const rateLimitPerSecond = 0.002;
const burstOf = 1;
const refillMs = 1_000_000;

let broker: TestBroker;
let build: BuildView;
let page: TestPage;
let buildToken: string;
let apiToken: string;
let code: string;

beforeEach(async () => {
  broker = await createTestBroker({ emulators: [] });
  broker.stopClock();
  build = await broker.createBuild({ connectors: ["app-secrets"] });
  page = await openPage(broker, build.id);
  code = await createCode(broker, build.id);
  buildToken = await broker.createBuildToken(build.id);
  apiToken = await makeApiToken();
});
afterEach(() => broker.close());

async function makeApiToken(): Promise<string> {
  const made = await broker.call("POST", "/v1/tokens", { body: { name: "p", scopes: ["builds:read"] } });
  return (made.body as { token: string }).token;
}

const limit = (more = {}) => broker.restart({ rateLimitPerSecond, ...more });
const asStranger = (headers = {}) => broker.call("GET", "/v1/builds", { token: null, headers });
const madeUp = (kind: TokenFormKind) => `${newTokenBody(kind, randomBytes)}AAAAAAAA`;
const open = (text: string) =>
  broker.call("POST", "/v1/session", {
    token: null,
    body: { code: text },
    headers: { "x-keyloan-session": "1" },
  });
/** A token as versions before the check made them. */
async function addOldToken(): Promise<string> {
  const text = newTokenBody("api", randomBytes);
  const row = {
    id: newId("token", randomBytes),
    kind: "api" as const,
    hash: hashToken(text),
    name: "old",
    scopes: ["builds:read" as const],
    buildId: null,
    singleUse: false,
    createdAt: broker.now(),
    expiresAt: null,
    usedAt: null,
    revokedAt: null,
  };
  await broker.running().deps.store.write([], (tables) => tables.tokens.insert(row));
  return text;
}
/** Every look for a credential in the store. */
function watchStore() {
  const { read } = broker.running().deps.store;
  return [
    vi.spyOn(read.tokens, "findByHash"),
    vi.spyOn(read.sessions, "findByHash"),
    vi.spyOn(read.handoffs, "findByHash"),
  ];
}
const looksOf = (spies: ReturnType<typeof watchStore>) => spies.flatMap(({ mock }) => mock.calls).length;

describe("a stranger who floods the one address that everybody seems to come from", () => {
  // Every kind of stranger, and what they are refused with until they are limited.
  const strangers: readonly [string, () => Promise<Answer>][] = [
    ["without anything", () => asStranger()],
    ["with a made-up token", () => broker.call("GET", "/v1/builds", { token: madeUp("api") })],
    [
      "with a token of an old form",
      () => broker.call("GET", "/v1/builds", { token: newTokenBody("build", randomBytes) }),
    ],
    [
      "with a made-up admin token",
      () => broker.call("GET", "/v1/builds", { token: newTokenBody("admin", randomBytes) }),
    ],
    [
      "with a made-up cookie",
      () =>
        broker.call("GET", "/v1/settings", {
          token: null,
          headers: { cookie: `keyloan_session_${build.id}=${madeUp("session")}` },
        }),
    ],
    ["with a made-up code", () => open(madeUp("handoff"))],
    [
      "with checks of keys",
      () => broker.call("POST", "/v1/settings/keys/turso/validate", { token: null, body: {} }),
    ],
    [
      "for files that the page does not have",
      () => broker.call("GET", "/settings/nothing.js", { token: null }),
    ],
    ["at paths that are not there", () => broker.call("GET", "/v1/nothing", { token: null })],
    ["with forged addresses", () => asStranger({ "x-forwarded-for": `203.0.113.${randomBytes(1)[0]}` })],
  ];

  it.each(strangers)("%s is limited and locks nobody out", async (_what, knock) => {
    await limit();
    const answers = [await knock(), await knock(), await knock()];
    expect(answers.map(({ status }) => status).slice(burstOf)).toEqual([429, 429]);
    expect(answers[2]?.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
    const valid = [
      await broker.call("GET", "/v1/builds"),
      await broker.call("GET", "/v1/builds", { token: apiToken }),
      await broker.call("GET", `/v1/builds/${build.id}/env`, { token: buildToken }),
      await page.call("GET", "/v1/settings"),
      await open(code),
    ];
    expect(valid.map(({ status }) => status)).toEqual([200, 200, 200, 200, 201]);
  });

  it("does not fill the log, and is limited again after the bucket has filled", async () => {
    await limit();
    const told = vi.spyOn(broker.running().deps.logger, "info");
    for (const _ of [1, 2, 3, 4]) await asStranger();
    const statuses = told.mock.calls.map(([line]) => (line as { status?: number }).status);
    expect(statuses.filter((status) => status !== undefined)).toEqual([401, 429]);
    broker.advance(refillMs);
    expect((await asStranger()).status).toBe(401);
    expect((await asStranger()).status).toBe(429);
  });
});

describe("those whom the broker knows", () => {
  it("have a bucket of their own each", async () => {
    const other = await makeApiToken();
    await limit();
    const statuses = [];
    for (const token of [apiToken, apiToken, other, buildToken, broker.adminToken, broker.adminToken]) {
      const path = token === buildToken ? `/v1/builds/${build.id}/env` : "/v1/builds";
      statuses.push((await broker.call("GET", path, { token })).status);
    }
    expect(statuses).toEqual([200, 429, 200, 200, 200, 429]);
    expect([
      (await page.call("GET", "/v1/settings")).status,
      (await page.call("GET", "/v1/settings")).status,
    ]).toEqual([200, 429]);
  });

  it("share one for all tokens of a build, which is larger than one token's", async () => {
    const tokens = [buildToken];
    for (let count = 0; count < 5; count += 1) tokens.push(await broker.createBuildToken(build.id));
    const other = await broker.createBuild({ connectors: ["app-secrets"] });
    const otherToken = await broker.createBuildToken(other.id);
    await limit();
    const read = async (id: string, token: string) =>
      (await broker.call("GET", `/v1/builds/${id}/env`, { token })).status;
    const statuses = [];
    for (const token of tokens) statuses.push(await read(build.id, token));
    expect(statuses).toEqual([200, 200, 200, 200, 429, 429]);
    expect(await read(other.id, otherToken)).toBe(200);
  });

  it("are refused before the store is asked or a body is read", async () => {
    await limit();
    await broker.call("GET", "/v1/builds", { token: apiToken });
    const looks = watchStore();
    const refused = await broker.call("POST", "/v1/builds", { token: apiToken, body: "{".repeat(70_000) });
    expect([refused.status, looksOf(looks)]).toEqual([429, 0]);
  });

  it("are looked up once in a request that is answered", async () => {
    const looks = watchStore();
    const answers = [
      await broker.call("GET", `/v1/builds/${build.id}/env`, { token: buildToken }),
      await page.call("GET", "/v1/settings"),
      await open(code),
    ];
    expect([answers.map(({ status }) => status), looksOf(looks)]).toEqual([[200, 200, 201], 3]);
  });

  it("are limited by their own bucket when their token has ended", async () => {
    const { tokens } = (await broker.call("GET", "/v1/tokens")).body as { tokens: { id: string }[] };
    await broker.call("DELETE", `/v1/tokens/${tokens[0]?.id}`);
    await limit();
    const statuses = [];
    for (const _ of [1, 2, 3])
      statuses.push((await broker.call("GET", "/v1/builds", { token: apiToken })).status);
    expect(statuses).toEqual([401, 429, 429]);
    expect((await broker.call("GET", "/v1/builds")).status).toBe(200);
  });
});

describe("credentials that have ended", () => {
  type Ended = readonly (() => Promise<Answer>)[];
  const inBrowser = (cookie: string, method: string, path: string, body?: unknown) =>
    broker.call(method, path, {
      token: null,
      headers: { cookie, "x-keyloan-session": "1" },
      ...(body === undefined ? {} : { body }),
    });
  const three = async <Value>(make: () => Promise<Value>): Promise<Value[]> => [
    await make(),
    await make(),
    await make(),
  ];
  const kinds: readonly [string, () => Promise<Ended>][] = [
    [
      "revoked tokens of a build",
      async () => {
        const texts = await three(() => broker.createBuildToken(build.id));
        const { tokens } = (await broker.call("GET", `/v1/builds/${build.id}/tokens`)).body as TokenList;
        for (const { id } of tokens) await broker.call("DELETE", `/v1/builds/${build.id}/tokens/${id}`);
        return texts.map((token) => () => broker.call("GET", `/v1/builds/${build.id}/env`, { token }));
      },
    ],
    [
      "visits",
      async () => {
        const visits = await three(() => openPage(broker, build.id));
        for (const visit of visits) await visit.call("DELETE", "/v1/session");
        return visits.map(
          ({ cookie }) =>
            () =>
              inBrowser(`keyloan_session_${build.id}=${cookie}`, "GET", "/v1/settings"),
        );
      },
    ],
    [
      "links",
      async () => {
        const codes = await three(() => createCode(broker, build.id));
        await createCode(broker, build.id);
        return codes.map((text) => () => open(text));
      },
    ],
    [
      "recovery codes",
      async () => {
        const renew = async () => (await page.call("POST", "/v1/settings/recovery")).body as RecoveryCode;
        const first = recoveryCodeOf(await page.save("app-secrets", {}));
        const codes = [first, (await renew()).code, (await renew()).code];
        await renew();
        return codes.map((recovery) => () => inBrowser("", "POST", "/v1/session", { recovery }));
      },
    ],
    [
      "cookies of browsers that have newer ones",
      async () => {
        const recovery = recoveryCodeOf(await page.save("app-secrets", {}));
        const cookies = await three(async () => {
          const before = page.browser.get("keyloan_person");
          await openPageBy(broker, { recovery }, page.browser);
          return before;
        });
        // So long each proves what it did.
        broker.advance(3_601_000);
        return cookies.map((text) => () => inBrowser(`keyloan_person=${text}`, "GET", "/v1/person"));
      },
    ],
  ];

  it.each(kinds)("count for their address once it is seen that they have: %s", async (_kind, end) => {
    const ended = await end();
    await limit();
    const round = async () => {
      broker.advance(refillMs);
      const statuses: number[] = [];
      for (const call of ended) statuses.push((await call()).status);
      return statuses;
    };
    expect(await round()).not.toContain(429);
    expect((await asStranger()).status).toBe(429);
    expect((await round()).map((status) => status === 429)).toEqual([false, true, true]);
    const valid = [
      await broker.call("GET", "/v1/builds"),
      await broker.call("GET", `/v1/builds/${build.id}/env`, { token: buildToken }),
    ];
    expect(valid.map(({ status }) => status)).not.toContain(429);
  });

  const openWithout = (body: Record<string, string>, headers = {}) =>
    broker.call("POST", "/v1/session", { token: null, body, headers });
  const asText = { "content-type": "text/plain" };
  const ofOther = `keyloan_session_${newId("build", randomBytes)}=x`;
  type Kind = Exclude<TokenFormKind, "admin" | "build">;
  // What is answered before anybody comes to ask whose the credential is.
  const unasked: readonly [string, Kind, (text: string) => Promise<Answer>][] = [
    ["cookies where a token is needed", "person", (text) => asStranger({ cookie: `keyloan_person=${text}` })],
    ["links that come from another site", "handoff", (text) => openWithout({ code: text })],
    ["recovery codes that do", "recovery", (text) => openWithout({ recovery: text })],
    ["links that are called no JSON", "handoff", (text) => openWithout({ code: text }, asText)],
    [
      "visits beside others, with no build named",
      "session",
      (text) => inBrowser(`keyloan_session_${build.id}=${text}; ${ofOther}`, "GET", "/v1/settings"),
    ],
    ["tokens where none is needed", "api", (token) => broker.call("GET", "/v1/catalog", { token })],
  ];

  it.each(unasked)("count for their address where nobody asks for them: %s", async (_what, kind, send) => {
    const recovery = recoveryCodeOf(await page.save("app-secrets", {}));
    const person = page.browser.get("keyloan_person") ?? "";
    const valid = { person, recovery, handoff: code, session: page.cookie, api: apiToken }[kind];
    await limit();
    // Made here and in no row, as what ended long ago.
    const make = () => broker.running().deps.tokens.make(kind, build.id).token.reveal();
    const ended = Array.from({ length: 60 }, make);
    const countRefused = async () =>
      (await Promise.all(ended.map(send))).filter(({ status }) => status === 429).length;
    expect([await countRefused(), (await asStranger()).status]).toEqual([0, 429]);
    broker.advance(refillMs);
    expect(await countRefused()).toBe(ended.length - burstOf);
    const { status } = await send(valid);
    expect(status).not.toBe(429);
    broker.advance(refillMs);
    // It was not asked for either, and still takes from nobody's bucket but its own.
    expect([(await asStranger()).status, (await asStranger()).status]).toEqual([401, 429]);
    expect((await send(valid)).status).toBe(status);
  });

  it("count for their address also when they were seen to hold before", async () => {
    const visits = await three(() => openPage(broker, build.id));
    await limit();
    for (const visit of visits) await visit.call("GET", "/v1/settings");
    const { store } = broker.running().deps;
    await store.write([], (tables) => tables.sessions.endByBuild(build.id, broker.now()));
    const round = async () => {
      broker.advance(refillMs);
      const statuses = [];
      for (const visit of visits) statuses.push((await visit.call("PUT", "/v1/nothing", {}, asText)).status);
      return statuses;
    };
    expect([await round(), await round()]).toEqual([
      [415, 415, 415],
      [415, 429, 429],
    ]);
  });

  it("do not count for a browser that has an open visit of another build", async () => {
    const other = await broker.createBuild({ connectors: ["app-secrets"] });
    const open = await openPage(broker, other.id);
    await page.call("DELETE", "/v1/session");
    const cookies = `keyloan_session_${build.id}=${page.cookie}; keyloan_session_${other.id}=${open.cookie}`;
    await limit();
    const ask = async () => (await inBrowser(cookies, "GET", "/v1/person")).status;
    expect([await ask(), (await asStranger()).status, await ask()]).toEqual([200, 429, 200]);
  });

  it("do not count for a browser that keeps the cookie of an ended visit beside its own", async () => {
    await page.save("app-secrets", {});
    const cookies = [...page.browser].map(([name, text]) => `${name}=${text}`).join("; ");
    await page.call("DELETE", "/v1/session");
    await limit();
    expect((await inBrowser(cookies, "GET", "/v1/settings")).status).toBe(401);
    expect((await asStranger()).status).toBe(429);
    const again = await inBrowser(cookies, "POST", "/v1/session", { buildId: build.id });
    expect(again.status).toBe(201);
  });
});

describe("a body that opens a page and does not arrive", () => {
  it("is waited for no longer than a moment where its address is limited", async () => {
    await limit();
    await asStranger();
    const headers = { "content-type": "application/json", "x-keyloan-session": "1", "content-length": "100" };
    const status = await new Promise((resolve, reject) => {
      const sent = request(`${broker.url}/v1/session`, { method: "POST", headers }, (answer) => {
        resolve(answer.statusCode);
        sent.destroy();
      }).on("error", reject);
      sent.write('{"code":');
    });
    expect(status).toBe(429);
    expect((await open(code)).status).toBe(201);
  });
});

describe("what was never made here", () => {
  it("is refused without asking the store: tokens, cookies and codes", async () => {
    const looks = watchStore();
    const answers = [
      await broker.call("GET", "/v1/builds", { token: madeUp("api") }),
      await broker.call("GET", "/v1/builds", { token: madeUp("build") }),
      await broker.call("GET", "/v1/builds", { token: newTokenBody("admin", randomBytes) }),
      await broker.call("GET", "/v1/builds", { token: apiToken.slice(0, -1) }),
      await broker.call("GET", "/v1/builds", { token: page.cookie.replace("keyloan_session=", "") }),
      await broker.call("GET", "/v1/settings", {
        token: null,
        headers: { cookie: `keyloan_session_${build.id}=${madeUp("session")}` },
      }),
      await broker.call("GET", "/v1/settings", {
        token: null,
        headers: { cookie: `keyloan_session=${apiToken}` },
      }),
      await open(madeUp("handoff")),
      await open(code.slice(0, -1) + (code.endsWith("A") ? "B" : "A")),
    ];
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 401));
    expect(looksOf(looks)).toBe(0);
  });
});

describe("a token of the old form", () => {
  it("works, and is looked for within the strangers' limit until it was found", async () => {
    const old = await addOldToken();
    const call = async () => (await broker.call("GET", "/v1/builds", { token: old })).status;
    expect(await call()).toBe(200);
    await limit();
    await asStranger();
    const looks = watchStore();
    expect([await call(), looksOf(looks)]).toEqual([429, 0]);
    broker.advance(refillMs);
    expect(await call()).toBe(200);
    // Now it has a bucket of its own, and the strangers' is empty.
    expect((await asStranger()).status).toBe(429);
    expect([await call(), await call()]).toEqual([200, 429]);
  });

  it("that was revoked is a stranger again", async () => {
    const old = await addOldToken();
    const call = async () => (await broker.call("GET", "/v1/builds", { token: old })).status;
    await call();
    const { tokens } = (await broker.call("GET", "/v1/tokens")).body as {
      tokens: { id: string; name: string }[];
    };
    await broker.call("DELETE", `/v1/tokens/${tokens.find(({ name }) => name === "old")?.id}`);
    expect(await call()).toBe(401);
    const { callers } = broker.running().deps;
    expect(callers.find(hashToken(old))).toBeUndefined();
  });
});

describe("checks of keys", () => {
  it("are limited for each session, and not by the address", async () => {
    const other = await openPage(broker, (await broker.createBuild({ connectors: ["app-secrets"] })).id);
    await broker.restart({ rateLimitPerSecond: 1_000 });
    const check = async (by: TestPage) =>
      (await by.call("POST", "/v1/settings/keys/app-secrets/validate", {})).status;
    const first = [];
    for (let count = 0; count < 25; count += 1) first.push(await check(page));
    expect(first).toContain(429);
    expect(first.slice(0, 20)).not.toContain(429);
    expect(await check(other)).not.toBe(429);
    expect((await page.call("GET", "/v1/settings")).status).toBe(200);
  });
});

describe("behind a proxy that is trusted", () => {
  const from = async (address: string) => (await asStranger({ "x-forwarded-for": address })).status;

  it("strangers have a bucket for each address, of IPv6 for each network", async () => {
    await limit({ trustedProxies: ["127.0.0.1", "::1", "10.0.0.0/8"] });
    expect([await from("203.0.113.7"), await from("203.0.113.7")]).toEqual([401, 429]);
    expect(await from("198.51.100.1, 203.0.113.7, 10.0.0.3")).toBe(429);
    expect(await from("203.0.113.7, 198.51.100.1, 10.0.0.3")).toBe(401);
    expect([await from("2001:db8:1:2::1"), await from("2001:db8:1:2::2")]).toEqual([401, 429]);
    expect(await from("2001:db8:1:3::1")).toBe(401);
  });

  it("a stranger with a whole network of IPv6 is limited all the same", async () => {
    await limit({ trustedProxies: ["127.0.0.1", "::1"] });
    const statuses = [];
    for (let index = 0; index < 20; index += 1) statuses.push(await from(`2001:db8:1:${index}::1`));
    expect(statuses.filter((status) => status === 401)).toHaveLength(16);
  });
});

describe("health and the page", () => {
  const paths = ["/health", "/health/live", "/health/ready", "/docs", "/openapi.json", "/settings"];

  it.each(paths)("answer however often %s is asked, and take from nobody's bucket", async (path) => {
    await limit();
    for (const _ of [1, 2, 3, 4])
      expect((await broker.call("GET", path, { token: null })).status).not.toBe(429);
    expect((await asStranger()).status).toBe(401);
    expect((await broker.call("GET", "/v1/builds")).status).toBe(200);
  });

  it.each(["GET", "HEAD"])("write no line of the log for each %s, however often", async (method) => {
    await limit();
    const { logger } = broker.running().deps;
    const lines = (["info", "warn", "error"] as const).map((level) => vi.spyOn(logger, level));
    for (const path of paths) for (const _ of [1, 2, 3]) await fetch(`${broker.url}${path}`, { method });
    expect(lines.flatMap((line) => line.mock.calls)).toEqual([]);
    vi.restoreAllMocks();
  });

  it("asked over 64 connections without end do not hold up a valid token", async () => {
    await broker.restart({ rateLimitPerSecond: 5 });
    const agent = new Agent({ keepAlive: true, maxSockets: 64 });
    let isDone = false;
    const statuses = new Set<number | undefined>();
    const ask = () =>
      new Promise<void>((resolve, reject) => {
        get(`${broker.url}/health`, { agent }, (answer) => {
          statuses.add(answer.statusCode);
          answer.resume().on("end", resolve);
        }).on("error", reject);
      });
    const flood = Array.from({ length: 64 }, async () => {
      for (let count = 0; count < 5 || !isDone; count += 1) await ask();
    });
    const admin = [];
    for (let count = 0; count < 5; count += 1) admin.push((await broker.call("GET", "/v1/builds")).status);
    isDone = true;
    await Promise.all(flood);
    agent.destroy();
    expect(admin).toEqual([200, 200, 200, 200, 200]);
    expect([...statuses]).toEqual([200]);
  });

  describe("share one check of readiness", () => {
    let nowMs = Date.now();
    /** A broker whose clock does not move by itself, and how often it has been checked. */
    const watch = () => {
      const deps = { ...broker.running().deps, now: () => nowMs };
      const look = vi.spyOn(deps.store.read.dataKeys, "listKeyIds");
      const app = createApp(deps);
      const ask = async () => (await app.request("/health/ready")).status;
      return { ask, checks: () => look.mock.calls.length };
    };

    it("however many ask for it at once, or one after the other within a second", async () => {
      const { ask, checks } = watch();
      expect(new Set(await Promise.all(Array.from({ length: 10 }, ask)))).toEqual(new Set([200]));
      nowMs += 999;
      for (let count = 0; count < 20; count += 1) expect(await ask()).toBe(200);
      expect(checks()).toBe(1);
    });

    it.each([1_000, -1_000, 3_600_000, -3_600_000])(
      "and get a new one when the clock moved %i ms",
      async (ms) => {
        const { ask, checks } = watch();
        await ask();
        nowMs += ms;
        expect([await ask(), await ask(), checks()]).toEqual([200, 200, 2]);
      },
    );
  });
});
