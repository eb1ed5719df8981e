import { createHash, randomBytes } from "node:crypto";
import { newTokenBody } from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { allowTokens } from "./testing/allow-tokens.ts";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { callIn, openPage, openPageBy, type TestBrowser, type TestPage } from "./testing/open-page.ts";
import { savedBuild, switchAll } from "./testing/saved-build.ts";
import { createStoreWriter, type StoreWriter } from "./testing/store-writer.ts";

let broker: TestBroker;
let writer: StoreWriter;
/** Of somebody else: switched, so that their file is whole. */
let victim: Awaited<ReturnType<typeof savedBuild>>;
/** Of who writes to the store: a build of their own, of which they are the person. */
let own: Awaited<ReturnType<typeof savedBuild>>;
/** Their visit of the victim's build, opened with a link. */
let visit: TestPage;

beforeAll(async () => {
  broker = await createTestBroker({ emulators: [] });
  writer = await createStoreWriter(broker.dataDirectory);
});
afterAll(() => broker.close());
beforeEach(async () => {
  victim = await savedBuild(broker);
  await switchAll(victim.page);
  own = await savedBuild(broker);
  visit = await openPage(broker, victim.id);
});

const sha = (text: string) => createHash("sha256").update(text).digest("hex");
const personOf = (id: string) =>
  writer.only(`SELECT * FROM persons WHERE build_id = '${id}' AND ended_at IS NULL`);
const visitsWith = (text: string): TestBrowser => new Map([[`keyloan_session_${victim.id}`, text]]);
const sessionOf = (page: TestPage) =>
  writer.only(`SELECT * FROM sessions WHERE hash = '${sha(page.cookie)}'`);

/** What a browser gets of the victim's build: the whole file, and a new recovery code. */
async function takenIn(browser: TestBrowser): Promise<readonly number[]> {
  const headers = { "x-keyloan-build": victim.id };
  const file = await callIn(broker, browser, "GET", "/v1/settings/env-file", { headers });
  const code = await callIn(broker, browser, "POST", "/v1/settings/recovery", { headers, body: {} });
  return [file.status, code.status];
}
async function openedIn(browser: TestBrowser, opener: Record<string, string>): Promise<readonly number[]> {
  const page = await openPageBy(broker, opener, browser).catch(() => undefined);
  return page === undefined ? [401, 401] : takenIn(page.browser);
}

const attempts: readonly (readonly [how: string, take: () => Promise<readonly number[]>])[] = [
  [
    "a visit of the old form, put in",
    async () => {
      const text = newTokenBody("session", randomBytes);
      const row = await sessionOf(victim.page);
      await writer.insert("sessions", { ...row, id: "ses_00000000000000000000", hash: sha(text) });
      return takenIn(visitsWith(text));
    },
  ],
  [
    "their own visit of the build, named the person's",
    async () => {
      const { id } = await personOf(victim.id);
      await writer.run(`UPDATE sessions SET person_id = '${id}' WHERE hash = '${sha(visit.cookie)}'`);
      return takenIn(visit.browser);
    },
  ],
  [
    "their own visit, with the person's MAC beside their name",
    async () => {
      const { person_id, mac } = await sessionOf(victim.page);
      await writer.run(
        `UPDATE sessions SET person_id = '${person_id}', mac = '${mac}' WHERE hash = '${sha(visit.cookie)}'`,
      );
      return takenIn(visit.browser);
    },
  ],
  [
    "the person's visit, with the hash of their own cookie",
    async () => {
      await writer.run(`DELETE FROM sessions WHERE hash = '${sha(visit.cookie)}'`);
      await writer.run(
        `UPDATE sessions SET hash = '${sha(visit.cookie)}' WHERE hash = '${sha(victim.page.cookie)}'`,
      );
      return takenIn(visit.browser);
    },
  ],
  [
    "a visit of their own build, moved to the other",
    async () => {
      const { id } = await personOf(victim.id);
      await writer.run(
        `UPDATE sessions SET build_id = '${victim.id}', person_id = '${id}' WHERE hash = '${sha(own.page.cookie)}'`,
      );
      return takenIn(visitsWith(own.page.cookie));
    },
  ],
  [
    "their own recovery code as the person's",
    async () => {
      const { recovery_hash } = await personOf(own.id);
      await writer.run(`DELETE FROM persons WHERE build_id = '${own.id}'`);
      await writer.run(
        `UPDATE persons SET recovery_hash = '${recovery_hash}' WHERE build_id = '${victim.id}'`,
      );
      return openedIn(new Map(), { recovery: own.recovery });
    },
  ],
  [
    "their own browser as the person's",
    async () => {
      const { id } = await personOf(victim.id);
      const cookie = own.page.browser.get("keyloan_person") ?? "";
      await writer.insert("person_browsers", { hash: sha(cookie), person_id: id ?? null, created_at: 1 });
      return openedIn(new Map([["keyloan_person", cookie]]), { buildId: victim.id });
    },
  ],
  [
    "what is saved as their own, once the person is ended and they are the person",
    async () => {
      await writer.run(`UPDATE persons SET ended_at = 1 WHERE build_id = '${victim.id}'`);
      await visit.save("app-secrets", {});
      const { id } = await writer.only("SELECT id FROM persons ORDER BY created_at DESC, rowid DESC LIMIT 1");
      await writer.run(`UPDATE user_keys SET person_id = '${id}' WHERE build_id = '${victim.id}'`);
      const [file] = await takenIn(visit.browser);
      return [file ?? 0, 401];
    },
  ],
  [
    "themselves as the person, by the MAC of another row",
    async () => {
      const person = await personOf(own.id);
      await writer.run(`DELETE FROM persons WHERE build_id IN ('${own.id}', '${victim.id}')`);
      await writer.insert("persons", { ...person, build_id: victim.id });
      return openedIn(own.page.browser, { buildId: victim.id });
    },
  ],
];

describe("a store writer who has no key reads nobody's keys and becomes nobody's person, by", () => {
  it.each(attempts)("%s", async (_how, take) => {
    for (const status of await take()) expect(status).toBeGreaterThanOrEqual(400);
  });

  it("nor lets tokens do what the person did not allow", async () => {
    const goBack = () => broker.call("POST", `/v1/builds/${victim.id}/revert`, { body: {} });
    await writer.run(`UPDATE persons SET allows = '["revert"]' WHERE build_id = '${victim.id}'`);
    expect((await goBack()).status).toBeGreaterThanOrEqual(400);
    await writer.run(`UPDATE persons SET allows = '[]' WHERE build_id = '${victim.id}'`);
    await allowTokens(broker, victim.id, "revert");
    expect((await broker.running().deps.store.read.persons.findByBuild(victim.id))?.allows).toEqual([
      "revert",
    ]);
  });
});

describe("a visit", () => {
  it("ends by its age, whatever its row says of its end", async () => {
    const other = await createTestBroker({ emulators: [] });
    try {
      const { page, id } = await savedBuild(other);
      other.advance(13 * 3_600_000);
      const theirs = await createStoreWriter(other.dataDirectory);
      await theirs.run("UPDATE sessions SET expires_at = 9000000000000, last_used_at = 9000000000000");
      expect((await page.call("GET", "/v1/settings")).status).toBe(401);
      expect(id).toMatch(/^bld_/);
    } finally {
      await other.close();
    }
  });
});
