import { request } from "node:http";
import type { AuditList, ErrorEnvelope, KnownBuilds, SavedAnswer, SettingsView } from "@keyloan/contract";
import { Secret } from "@keyloan/contract";
import { exportSPKI, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import {
  callIn,
  createCode,
  openPage,
  openPageBy,
  recoveryCodeOf,
  type TestBrowser,
  type TestPage,
} from "./testing/open-page.ts";
import { savedBuild, switchAll } from "./testing/saved-build.ts";

let broker: TestBroker;
let signIn: (user: string) => Promise<Record<string, string>>;
const origin = "https://app.example.com";

beforeAll(async () => {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  signIn = async (sub) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { azp: origin, sid: "sess_1", sub, iss: "https://happy-fox-12.clerk.accounts.dev" };
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: "RS256", kid: "ins_1", typ: "JWT" })
      .setIssuedAt(now - 1)
      .setNotBefore(now - 1)
      .setExpirationTime(now + 600)
      .sign(privateKey);
    return { authorization: `Bearer ${token}` };
  };
  broker = await createTestBroker({
    emulators: ["turso"],
    config: {
      clerkSessions: {
        publishableKey: `pk_test_${Buffer.from("happy-fox-12.clerk.accounts.dev$").toString("base64url")}`,
        secretKey: Secret.of(["sk", "test", "a".repeat(40)].join("_")),
        jwtKey: await exportSPKI(publicKey),
        authorizedParties: [origin],
      },
    },
  });
  await broker.putOrgKeys();
});
afterAll(() => broker.close());

const codeOf = (answer: Answer) => (answer.body as ErrorEnvelope).error.code;
const newBuild = async () =>
  (await broker.createBuild({ connectors: ["app-secrets"], ttlSeconds: 604_800 })).id;
const standing = async (page: TestPage) => (await page.settings()).person.standing;
const knownIn = async (browser: TestBrowser) =>
  (await callIn(broker, browser, "GET", "/v1/person")).body as KnownBuilds;
/** What somebody at a browser can note of it for later. */
const copyOf = (browser: TestBrowser): TestBrowser =>
  new Map([["keyloan_person", browser.get("keyloan_person") ?? ""]]);
const open = (body: Record<string, string>, browser: TestBrowser = new Map(), headers = {}) =>
  callIn(broker, browser, "POST", "/v1/session", { body, headers });
describe("the first save", () => {
  it("makes its visitor the person, who is shown a recovery code once and gets a cookie", async () => {
    const id = await newBuild();
    const page = await openPage(broker, id);
    expect(await standing(page)).toBe("none");
    const first = await page.save("app-secrets", {});
    expect(first.body).toMatchObject({
      recovery: { code: expect.stringMatching(/^klo_rec_/), createdAt: expect.any(String) },
      settings: { person: { standing: "you", tokensMay: [], since: expect.any(String) } },
    });
    const cookie = first.headers.getSetCookie().find((line) => line.startsWith("keyloan_person="));
    expect(cookie).toMatch(
      /^keyloan_person=klo_per_.*; Max-Age=7776000; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    const second = (await page.save("app-secrets", {})).body as SavedAnswer;
    expect(second.recovery).toBeUndefined();
    expect(await knownIn(page.browser)).toMatchObject({ builds: [{ id, name: "test app", state: "ready" }] });
    const { events } = (await broker.call("GET", `/v1/audit?entity=${id}&action=person.began`))
      .body as AuditList;
    expect(events).toHaveLength(1);
  });

  it("is won by one of two at once, and the other writes nothing", async () => {
    const id = await newBuild();
    const pages = [await openPage(broker, id), await openPage(broker, id)];
    const body = { submission: { values: {} }, expectedVersion: 0 };
    const answers = await Promise.all(
      pages.map((page) => page.call("PUT", "/v1/settings/keys/app-secrets", body)),
    );
    const loser = answers.findIndex(({ status }) => status !== 200);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    // Whether it is told of the other's save or of the other's right depends on who is faster by how much.
    expect(["settings_changed", "person_only"]).toContain(codeOf(answers[loser] ?? expect.fail()));
    const again = await pages[loser]?.save("app-secrets", {});
    expect(again === undefined ? "" : codeOf(again)).toBe("person_only");
    const { read } = broker.running().deps.store;
    const person = await read.persons.findByBuild(id);
    expect(await read.userKeys.listByBuild(id)).toMatchObject([{ personId: person?.id }]);
  });

  it("leaves others of the build masks, also of what is public, and no account", async () => {
    const { id } = await broker.createBuild({ connectors: ["turso"] });
    const page = await openPage(broker, id);
    const values = (await broker.emulators.get("turso")?.createUserEnv()) ?? expect.fail();
    expect((await page.save("turso", values)).status).toBe(200);
    const other = await openPage(broker, id);
    const shown = await other.call("GET", "/v1/settings");
    expect((shown.body as SettingsView).person).toEqual({
      standing: "someone_else",
      since: expect.any(String),
    });
    expect((await page.call("GET", "/v1/settings")).text).toContain(values.TURSO_DATABASE_URL);
    for (const value of Object.values(values)) expect(shown.text).not.toContain(value);
    expect((shown.body as SettingsView).bindings[0]?.saved?.check).not.toHaveProperty("account");
  });
});

describe("proof", () => {
  it.each(["save", "recovery"])(
    "is kept by a browser whose first answer was lost, at the next %s",
    async (how) => {
      const { id, page } = await savedBuild(broker);
      page.browser.delete("keyloan_person");
      const again = () =>
        how === "save" ? page.save("app-secrets", {}) : page.call("POST", "/v1/settings/recovery");
      expect((await again()).status).toBeLessThan(300);
      expect((await knownIn(page.browser)).builds).toMatchObject([{ id }]);
      // A new code replaces the cookie each time, so that no copy of it is left.
      expect((await again()).headers.getSetCookie()).toHaveLength(how === "save" ? 0 : 1);
    },
  );

  it("is the browser that saved: by a link, and by its cookie alone", async () => {
    const { id, page } = await savedBuild(broker);
    const again = await openPage(broker, id, page.browser);
    expect(await standing(again)).toBe("you");
    const byCookie = await openPageBy(broker, { buildId: id }, page.browser);
    expect(await standing(byCookie)).toBe("you");
    expect(await standing(await openPage(broker, id))).toBe("someone_else");
  });

  it("is nothing that a browser knows of another build", async () => {
    const { page } = await savedBuild(broker);
    const other = await savedBuild(broker);
    expect(await standing(await openPage(broker, other.id, new Map(page.browser)))).toBe("someone_else");
    const onlyPerson = new Map([["keyloan_person", page.browser.get("keyloan_person") ?? ""]]);
    expect((await open({ buildId: other.id }, onlyPerson)).status).toBe(401);
  });

  it("is one cookie for every build that the browser knows, and a new one with each of them", async () => {
    const { id, page } = await savedBuild(broker);
    const before = page.browser.get("keyloan_person") ?? "";
    const second = await openPage(broker, await newBuild(), page.browser);
    await second.save("app-secrets", {});
    expect(page.browser.get("keyloan_person")).not.toBe(before);
    expect((await knownIn(page.browser)).builds).toHaveLength(2);
    const former = async () =>
      (await knownIn(new Map([["keyloan_person", before]]))).builds.map((each) => each.id);
    expect(await former()).toEqual([id]);
    broker.advance(3_601_000);
    expect(await former()).toEqual([]);
    expect((await knownIn(page.browser)).builds).toHaveLength(2);
  });

  it("proves what it did when two answers cross, or one is lost: no app is lost by saving in another", async () => {
    const { id, page } = await savedBuild(broker);
    const cookie = page.browser.get("keyloan_person") ?? "";
    const others = await Promise.all(
      [1, 2].map(async () => openPage(broker, await newBuild(), page.browser)),
    );
    // Both are sent with the same cookie, and the browser keeps the one that came last.
    await Promise.all(
      others.map((other) => {
        other.browser.set("keyloan_person", cookie);
        return other.save("app-secrets", {});
      }),
    );
    const known = async () => (await knownIn(page.browser)).builds.map((each) => each.id);
    expect(await known()).toContain(id);
    page.browser.set("keyloan_person", cookie);
    await others[0]?.save("app-secrets", {});
    expect(await known()).toHaveLength(2);
    broker.advance(3_601_000);
    expect(await known()).toContain(id);
    expect((await open({ buildId: id }, new Map(page.browser))).status).toBe(201);
  });

  it("ends for a former cookie, and for what it was exchanged for, when its browser uses the next", async () => {
    const { id, page } = await savedBuild(broker);
    const thief = copyOf(page.browser);
    await (await openPage(broker, await newBuild(), page.browser)).save("app-secrets", {});
    const former = copyOf(thief);
    await (await openPage(broker, await newBuild(), thief)).save("app-secrets", {});
    expect((await knownIn(thief)).builds).toHaveLength(2);
    await openPageBy(broker, { buildId: id }, page.browser);
    expect(await knownIn(former)).toEqual({ builds: [] });
    expect((await knownIn(thief)).builds.map((build) => build.id)).not.toContain(id);
    expect((await knownIn(page.browser)).builds).toHaveLength(2);
  });

  it.each(["first save", "recovery code", "new recovery code", "save after a lost answer"])(
    "is never a cookie that somebody may have noted before: %s",
    async (how) => {
      const noted = (await savedBuild(broker)).page.browser.get("keyloan_person") ?? "";
      const browser: TestBrowser = new Map([["keyloan_person", noted]]);
      const id = await newBuild();
      if (how === "first save") {
        await (await openPage(broker, id, browser)).save("app-secrets", {});
      } else {
        const elsewhere = await openPage(broker, id);
        const recovery = recoveryCodeOf(await elsewhere.save("app-secrets", {}));
        if (how === "recovery code") await openPageBy(broker, { recovery }, browser);
        elsewhere.browser.set("keyloan_person", noted);
        if (how === "new recovery code") await elsewhere.call("POST", "/v1/settings/recovery");
        if (how === "save after a lost answer") await elsewhere.save("app-secrets", {});
      }
      const thief: TestBrowser = new Map([["keyloan_person", noted]]);
      expect((await knownIn(thief)).builds.map((build) => build.id)).not.toContain(id);
      expect((await open({ buildId: id }, thief)).status).toBe(401);
      broker.advance(3_601_000);
      expect(await knownIn(thief)).toEqual({ builds: [] });
    },
  );

  it.each(["klo_per_made-up", `klo_per_${"A".repeat(51)}`])(
    "is no cookie that was made up: %s",
    async (text) => {
      expect(await knownIn(new Map([["keyloan_person", text]]))).toEqual({ builds: [] });
    },
  );

  it("is the identity that had opened the session that saved, and no user that a later link is for", async () => {
    const id = await newBuild();
    const invite = (userRef: string) =>
      broker.call("POST", `/v1/builds/${id}/handoff`, { body: { userRef } });
    const enter = async (user: string) => {
      const browser: TestBrowser = new Map();
      const opened = await open({ buildId: id }, browser, await signIn(user));
      const shown = await callIn(broker, browser, "GET", "/v1/settings");
      return { status: opened.status, standing: (shown.body as SettingsView).person?.standing, browser };
    };
    await invite("user_1");
    const first = await enter("user_1");
    const body = { submission: { values: {} }, expectedVersion: 0 };
    const saved = await callIn(broker, first.browser, "PUT", "/v1/settings/keys/app-secrets", { body });
    expect(saved.status).toBe(200);
    await invite("user_2");
    expect(await enter("user_2")).toMatchObject({ status: 201, standing: "someone_else" });
    expect(await enter("user_1")).toMatchObject({ status: 201, standing: "you" });
    broker.advance(4 * 86_400_000);
    expect((await enter("user_2")).status).toBe(403);
    // Who has proven to be the person needs no link.
    expect(await enter("user_1")).toMatchObject({ status: 201, standing: "you" });
  });

  it("is asked once for many visits: one too many of the same user ends that user's oldest", async () => {
    const id = await newBuild();
    const enter = async (user: string) => {
      const browser: TestBrowser = new Map();
      expect((await open({ buildId: id }, browser, await signIn(user))).status).toBe(201);
      return browser;
    };
    const invite = (userRef: string) =>
      broker.call("POST", `/v1/builds/${id}/handoff`, { body: { userRef } });
    await invite("user_2");
    const other = await enter("user_2");
    await invite("user_1");
    const browsers = [];
    for (let count = 0; count < 9; count += 1) {
      broker.advance(1_000);
      browsers.push(await enter("user_1"));
    }
    const statuses = [];
    for (const browser of [other, ...browsers])
      statuses.push((await callIn(broker, browser, "GET", "/v1/settings")).status);
    expect(statuses).toEqual([200, 401, 200, 200, 200, 200, 200, 200, 200, 200]);
  });

  it("of a person who came by a link is no identity", async () => {
    const { id } = await savedBuild(broker);
    await broker.call("POST", `/v1/builds/${id}/handoff`, { body: { userRef: "user_1" } });
    const browser: TestBrowser = new Map();
    expect((await open({ buildId: id }, browser, await signIn("user_1"))).status).toBe(201);
    const { person } = (await callIn(broker, browser, "GET", "/v1/settings")).body as SettingsView;
    expect(person.standing).toBe("someone_else");
  });

  it("ends for a browser that is told to forget, and for no other build", async () => {
    const { id, page } = await savedBuild(broker);
    const second = await openPage(broker, await newBuild(), page.browser);
    await second.save("app-secrets", {});
    expect((await page.call("DELETE", "/v1/session?forget=true")).status).toBe(204);
    expect((await knownIn(page.browser)).builds).toMatchObject([{ id: second.session.buildId }]);
    expect(await standing(await openPage(broker, id, page.browser))).toBe("someone_else");
    await second.call("DELETE", "/v1/session?forget=true");
    expect(page.browser.has("keyloan_person")).toBe(false);
  });

  it.each([
    [
      "a former cookie",
      async (_id: string, thief: TestBrowser, page: TestPage) => {
        await (await openPage(broker, await newBuild(), page.browser)).save("app-secrets", {});
        return thief;
      },
    ],
    [
      "what a copy was exchanged for",
      async (id: string, thief: TestBrowser) => {
        await (await openPage(broker, await newBuild(), thief)).save("app-secrets", {});
        // From here on the cookie of the browser that forgets has ended.
        await openPageBy(broker, { buildId: id }, thief);
        return thief;
      },
    ],
    [
      "a visit that a copy opened",
      async (id: string, thief: TestBrowser) => {
        await openPageBy(broker, { buildId: id }, thief);
        return thief;
      },
    ],
    [
      "what is saved in a visit that a copy opened",
      async (id: string, thief: TestBrowser) => {
        const visit = await openPageBy(broker, { buildId: id }, thief);
        thief.delete("keyloan_person");
        expect((await visit.save("app-secrets", {})).status).toBe(200);
        return thief;
      },
    ],
  ])("ends with a browser that is told to forget, and in no other: %s", async (_what, copy) => {
    const { id, page, recovery } = await savedBuild(broker);
    const { browser: other } = await openPageBy(broker, { recovery });
    const thief = await copy(id, copyOf(page.browser), page);
    expect((await page.call("DELETE", "/v1/session?forget=true")).status).toBe(204);
    expect((await knownIn(thief)).builds.map((build) => build.id)).not.toContain(id);
    expect((await open({ buildId: id }, copyOf(thief))).status).toBe(401);
    const headers = { "x-keyloan-build": id };
    expect((await callIn(broker, thief, "GET", "/v1/settings", { headers })).status).toBe(401);
    expect((await open({ buildId: id }, other)).status).toBe(201);
  });

  it("ends the person's other visits too when the browser that forgets has no cookie any more", async () => {
    const { page, recovery } = await savedBuild(broker);
    const other = await openPageBy(broker, { recovery });
    page.browser.delete("keyloan_person");
    expect((await page.call("DELETE", "/v1/session?forget=true")).status).toBe(204);
    expect((await other.call("GET", "/v1/settings")).status).toBe(401);
  });

  it("ends for nobody else when a stranger has a cookie that has ended forget", async () => {
    const { id, page } = await savedBuild(broker);
    const stranger = copyOf(page.browser);
    await (await openPage(broker, await newBuild(), page.browser)).save("app-secrets", {});
    broker.advance(3_601_000);
    await (await openPage(broker, id, stranger)).call("DELETE", "/v1/session?forget=true");
    expect((await open({ buildId: id }, page.browser)).status).toBe(201);
  });

  it("goes on when the user only leaves", async () => {
    const { id, page } = await savedBuild(broker);
    await page.call("DELETE", "/v1/session");
    expect(await standing(await openPageBy(broker, { buildId: id }, page.browser))).toBe("you");
  });
});

describe("after finish", () => {
  it("only the person gets in: other visits end, and a link is refused without being used up", async () => {
    const { id, page, recovery } = await savedBuild(broker);
    const other = await openPage(broker, id);
    await switchAll(page);
    expect((await page.change("POST", "/v1/settings/finish")).status).toBe(200);
    expect(codeOf(await other.call("GET", "/v1/settings"))).toBe("session_expired");
    const code = await createCode(broker, id);
    for (const _ of [1, 2]) {
      const refused = await open({ code });
      expect([refused.status, codeOf(refused)]).toEqual([403, "person_only"]);
    }
    const again = await openPageBy(broker, { code }, page.browser);
    expect((await again.call("GET", "/v1/settings/env-file")).status).toBe(200);
    const recovered = await openPageBy(broker, { recovery });
    expect((await recovered.call("GET", "/v1/settings/env-file")).status).toBe(200);
  });
});

describe("the cookies", () => {
  it("open pages of several builds beside each other, chosen by a header", async () => {
    const browser: TestBrowser = new Map();
    const one = await openPage(broker, await newBuild(), browser);
    expect((await callIn(broker, browser, "GET", "/v1/settings")).status).toBe(200);
    const two = await openPage(broker, await newBuild(), browser);
    for (const page of [one, two]) expect((await page.settings()).build.id).toBe(page.session.buildId);
    const unnamed = await callIn(broker, browser, "GET", "/v1/settings");
    expect([unnamed.status, codeOf(unnamed)]).toEqual([422, "invalid_input"]);
  });

  it("of one build are no session of another", async () => {
    const one = await openPage(broker, await newBuild());
    const two = await openPage(broker, await newBuild());
    const headers = { "x-keyloan-build": two.session.buildId };
    expect((await one.call("GET", "/v1/settings", undefined, headers)).status).toBe(401);
    const moved = new Map([[`keyloan_session_${two.session.buildId}`, one.cookie]]);
    expect((await callIn(broker, moved, "GET", "/v1/settings", { headers })).status).toBe(401);
  });

  it("are at most eight sessions: the oldest of nine ends", async () => {
    const browser: TestBrowser = new Map();
    const pages: TestPage[] = [];
    for (let left = 9; left > 0; left--) {
      pages.push(await openPage(broker, await newBuild(), browser));
      broker.advance(1_000);
    }
    expect([...browser.keys()].filter((name) => name.startsWith("keyloan_session_"))).toHaveLength(8);
    const statuses = await Promise.all(
      pages.map(async ({ session, cookie }) => {
        const alone = new Map([[`keyloan_session_${session.buildId}`, cookie]]);
        return (await callIn(broker, alone, "GET", "/v1/settings")).status;
      }),
    );
    expect(statuses).toEqual([401, ...Array.from({ length: 8 }, () => 200)]);
  });

  it("end the visit that a new one of the build takes the place of", async () => {
    const browser: TestBrowser = new Map();
    const id = await newBuild();
    const first = await openPage(broker, id, browser);
    await openPage(broker, id, browser);
    const alone = new Map([[`keyloan_session_${id}`, first.cookie]]);
    expect((await callIn(broker, alone, "GET", "/v1/settings")).status).toBe(401);
  });

  it("are secure and for this host alone where users come over https", async () => {
    const own = await createTestBroker({
      emulators: [],
      config: { publicUrl: "https://keys.example.com" },
    });
    try {
      const { id } = await own.createBuild({ connectors: ["app-secrets"] });
      const opened = await callIn(own, new Map(), "POST", "/v1/session", {
        body: { code: await createCode(own, id) },
      });
      expect(opened.headers.getSetCookie()).toEqual([
        expect.stringMatching(
          new RegExp(
            `^__Host-keyloan_session_${id}=klo_ses_.*; Max-Age=43200; Path=/; HttpOnly; Secure; SameSite=Strict$`,
          ),
        ),
      ]);
      // One without the prefix could come from a neighbour of this host.
      const text = /=([^;]*)/.exec(opened.headers.getSetCookie()[0] ?? "")?.[1] ?? "";
      const bare = new Map([[`keyloan_session_${id}`, text]]);
      expect((await callIn(own, bare, "GET", "/v1/settings")).status).toBe(401);
      const prefixed = new Map([[`__Host-keyloan_session_${id}`, text]]);
      expect((await callIn(own, prefixed, "GET", "/v1/settings")).status).toBe(200);
    } finally {
      await own.close();
    }
  });

  it.each([
    ["another machine", undefined, { host: "keys.example.com" }],
    ["a network's address", undefined, { host: "192.168.1.5:8080" }],
    ["a public address over http", "http://keys.example.com", {}],
  ])("are given to nobody over http at %s", async (_what, publicUrl, headers) => {
    const own = await createTestBroker({ emulators: [], config: { publicUrl } });
    try {
      const { id } = await own.createBuild({ connectors: ["app-secrets"] });
      const code = await createCode(own, id);
      const refused = await postTo(own, "/v1/session", { code }, headers);
      expect([refused.status, refused.cookies]).toEqual([403, undefined]);
      expect(refused.text).toContain("KEYLOAN_PUBLIC_URL");
    } finally {
      await own.close();
    }
  });
});

/** `fetch` sets the host by itself. */
function postTo(
  own: TestBroker,
  path: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<{ status: number; text: string; cookies: readonly string[] | undefined }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      own.url + path,
      {
        method: "POST",
        headers: { "content-type": "application/json", "x-keyloan-session": "1", ...headers },
      },
      (answer) => {
        let text = "";
        answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
        answer.on("end", () =>
          resolve({ status: answer.statusCode ?? 0, text, cookies: answer.headers["set-cookie"] }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(JSON.stringify(body));
  });
}
