import type { AuditList, ErrorEnvelope, KnownBuilds, Rehearsal, SettingsView } from "@keyloan/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import {
  callIn,
  openPage,
  openPageBy,
  recoveryCodeOf,
  type TestBrowser,
  type TestPage,
} from "./testing/open-page.ts";
import { savedBuild, switchAll } from "./testing/saved-build.ts";
import { createStoreWriter } from "./testing/store-writer.ts";
import { executeStartOver, sweepStartOvers } from "./verbs/person/execute-start-over.ts";

let broker: TestBroker;
beforeAll(async () => {
  broker = await createTestBroker({ emulators: [], config: { revertHours: 96 } });
});
afterAll(() => broker.close());

const aDay = 24 * 3_600_000;
const codeOf = (answer: Answer) => (answer.body as ErrorEnvelope).error.code;
const ask = (page: TestPage) => page.call("POST", "/v1/settings/start-over");
const refuse = (page: TestPage) => page.call("DELETE", "/v1/settings/start-over");
const personOf = (answer: Answer) => (answer.body as SettingsView).person;
const read = () => broker.running().deps.store.read;
const sweep = () => sweepStartOvers(broker.running().deps);
const keysOf = async (id: string) => (await read().userKeys.listByBuild(id)).map((row) => row.id);
async function auditOf(id: string): Promise<string[]> {
  const { events } = (await broker.call("GET", `/v1/audit?entity=${id}`)).body as AuditList;
  return events.map(({ action }) => action).filter((action) => action.startsWith("start_over."));
}
async function noticesOf(id: string): Promise<unknown[]> {
  const jobs = await read().jobs.list({ kind: "notify", limit: 200 });
  const payloads = jobs.map(({ payload }) => payload ?? {});
  return payloads.flatMap((payload) =>
    "buildId" in payload && payload.buildId === id && "type" in payload ? [payload.type] : [],
  );
}

describe("starting over before the switch", () => {
  it("deletes what was saved at once when nothing was saved for a day, and tells the old browser", async () => {
    const { id, page, recovery } = await savedBuild(broker);
    const code = { recovery };
    broker.advance(aDay + 1_000);
    const other = await openPage(broker, id);
    const done = await ask(other);
    expect(personOf(done)).toMatchObject({ standing: "none", startOver: { state: "done", mine: true } });
    expect(await keysOf(id)).toEqual([]);
    // Every proof of the old person has ended.
    expect((await page.call("GET", "/v1/settings")).status).toBe(401);
    expect((await callIn(broker, new Map(), "POST", "/v1/session", { body: code })).status).toBe(401);
    expect(
      (await callIn(broker, page.browser, "POST", "/v1/session", { body: { buildId: id } })).status,
    ).toBe(401);
    const known = (await callIn(broker, page.browser, "GET", "/v1/person")).body as KnownBuilds;
    expect(known.builds).toEqual([
      { id, name: "test app", state: "ready", replaced: { at: expect.any(String), from: "127.0.0.1" } },
    ]);
    const saved = await other.save("app-secrets", {});
    expect(recoveryCodeOf(saved)).not.toBe(recovery);
    const back = await openPage(broker, id, page.browser);
    expect((await back.settings()).person).toMatchObject({
      standing: "someone_else",
      replaced: { at: expect.any(String), from: "127.0.0.1" },
    });
    expect(await auditOf(id)).toEqual(["start_over.done", "start_over.requested"]);
    expect(await noticesOf(id)).toEqual(expect.arrayContaining(["start_over.requested", "start_over.done"]));
  });

  it("waits a day once something was switched, also when it was taken back since", async () => {
    const { id, page: first } = await savedBuild(broker);
    broker.advance(aDay + 3_600_000);
    const page = await openPageBy(broker, { buildId: id }, first.browser);
    await switchAll(page);
    const back = await broker.call("POST", `/v1/builds/${id}/revert`, {
      body: { reason: "it does not start" },
    });
    expect(back.status).toBe(200);
    const { startOver } = personOf(await ask(await openPage(broker, id)));
    expect(startOver).toMatchObject({ state: "waiting" });
    expect(await keysOf(id)).toHaveLength(1);
    expect((await page.settings()).person.standing).toBe("you");
    await refuse(page);
  });

  it("waits a day when something was saved within one, and the person sees who asks", async () => {
    const { id, page } = await savedBuild(broker);
    const other = await openPage(broker, id);
    const asked = personOf(await ask(other));
    expect(asked).toMatchObject({ standing: "someone_else", startOver: { state: "waiting", mine: true } });
    const { startOver } = (await page.settings()).person;
    expect(startOver).toMatchObject({ state: "waiting", mine: false, from: "127.0.0.1" });
    expect(Date.parse(startOver?.dueAt ?? "") - Date.parse(startOver?.requestedAt ?? "")).toBe(aDay);
    // Asking again, from wherever, changes nothing.
    expect(personOf(await ask(await openPage(broker, id))).startOver).toMatchObject({ mine: false });
    broker.advance(aDay - 60_000);
    expect(await sweep()).toBe(0);
    broker.advance(61_000);
    expect(await sweep()).toBe(1);
    expect(await keysOf(id)).toEqual([]);
    expect(await read().persons.findByBuild(id)).toBeUndefined();
    expect(await sweep()).toBe(0);
  });

  it("is refused by the person, withdrawn by who asked, and by nobody else", async () => {
    const { id, page } = await savedBuild(broker);
    const other = await openPage(broker, id);
    await ask(other);
    expect(codeOf(await refuse(await openPage(broker, id)))).toBe("person_only");
    expect(personOf(await refuse(page)).startOver).toBeUndefined();
    const { startOver } = (await other.settings()).person;
    expect(startOver).toMatchObject({ state: "refused", mine: true });
    const refusedAt = (await read().startOvers.findNewest(id))?.endedAt ?? 0;
    expect(Date.parse(startOver?.againAt ?? "")).toBe(refusedAt + aDay);
    // A refusal holds for a day: whoever can get links could ask on and on.
    broker.advance(aDay - 60_000);
    const again = await openPage(broker, id);
    const kept = (await again.settings()).person.startOver;
    expect(kept).toMatchObject({ state: "refused", mine: false, againAt: startOver?.againAt });
    expect(kept).not.toHaveProperty("from");
    const answer = await ask(again);
    expect(codeOf(answer)).toBe("conflict");
    expect((answer.body as ErrorEnvelope).error.remedy).toBe("Ask the tool that sent you the link.");
    broker.advance(61_000);
    expect((await again.settings()).person.startOver).toBeUndefined();
    const still = await openPage(broker, id, page.browser);
    await still.save("app-secrets", {});
    await ask(again);
    const withdrawn = personOf(await refuse(again)).startOver;
    expect(withdrawn).toMatchObject({ state: "withdrawn", againAt: expect.any(String) });
    expect(codeOf(await refuse(still))).toBe("conflict");
    expect(await auditOf(id)).toEqual([
      "start_over.withdrawn",
      "start_over.requested",
      "start_over.refused",
      "start_over.requested",
    ]);
    broker.advance(2 * aDay);
    expect(await sweep()).toBe(0);
    expect(await keysOf(id)).toHaveLength(1);
  });

  it("can be asked for again an hour after a withdrawal, by whomever, and everybody sees when", async () => {
    const { id, page } = await savedBuild(broker);
    const [first, other] = [await openPage(broker, id), await openPage(broker, id)];
    await ask(first);
    const { startOver } = personOf(await refuse(first));
    const withdrawnAt = (await read().startOvers.findNewest(id))?.endedAt ?? 0;
    expect(Date.parse(startOver?.againAt ?? "")).toBe(withdrawnAt + 3_600_000);
    const statuses: number[] = [];
    for (let tries = 10; tries > 0; tries--) {
      const answer = await ask(tries % 2 === 0 ? first : other);
      statuses.push(answer.status);
      expect((answer.body as ErrorEnvelope).error.details).toEqual({ againAt: startOver?.againAt });
      await refuse(first);
    }
    expect(new Set(statuses)).toEqual(new Set([409]));
    expect(await auditOf(id)).toEqual(["start_over.withdrawn", "start_over.requested"]);
    expect(await noticesOf(id)).toHaveLength(2);
    const shown = (await other.settings()).person.startOver;
    expect(shown).toMatchObject({ state: "withdrawn", mine: false, againAt: startOver?.againAt });
    expect(shown).not.toHaveProperty("from");
    expect((await page.settings()).person.startOver).toBeUndefined();
    broker.advance(3_600_000);
    const later = await openPage(broker, id);
    expect(personOf(await ask(later)).startOver?.state).toBe("waiting");
    expect((await refuse(later)).status).toBe(200);
  });

  it("is waited for without renewing anything again and again", async () => {
    const { id } = await savedBuild(broker);
    const other = await openPage(broker, id);
    // So near the end of its longest life that it cannot live as long as a renewal would want.
    const [end, longest] = [1, 12].map((hours) => broker.now() + hours * 3_600_000);
    const store = await createStoreWriter(broker.dataDirectory);
    const sql = "UPDATE builds SET expires_at = ?, renewable_until = ? WHERE id = ?";
    await store.run({ sql, args: [end ?? 0, longest ?? 0, id] });
    await ask(other);
    expect((await read().builds.find(id))?.expiresAt).toBe(longest);
    const renewals = async () =>
      ((await broker.call("GET", `/v1/audit?entity=${id}&action=build.renewed`)).body as AuditList).events
        .length;
    const before = await renewals();
    for (let tries = 5; tries > 0; tries--) expect((await ask(other)).status).toBeLessThan(300);
    expect(await renewals()).toBe(before);
    expect((await refuse(other)).status).toBe(200);
  });

  it("keeps the build alive until it is decided", async () => {
    const { id, page } = await savedBuild(broker);
    const lives = async () => ((await read().builds.find(id)) ?? expect.fail()).expiresAt;
    broker.advance((await lives()) - broker.running().deps.now() - 3_600_000);
    const back = await openPageBy(broker, { buildId: id }, page.browser);
    expect((await back.save("app-secrets", {})).status).toBe(200);
    const made = await broker.call("POST", `/v1/builds/${id}/handoff`, { body: { ttlSeconds: 60 } });
    const code = new URL((made.body as { url: string }).url).hash.replace("#code=", "");
    const { startOver } = personOf(await ask(await openPageBy(broker, { code })));
    expect(startOver?.state).toBe("waiting");
    expect(await lives()).toBeGreaterThan(Date.parse(startOver?.dueAt ?? ""));
    expect((await refuse(back)).status).toBe(200);
  });

  it("is either done or refused when both come at the same instant", async () => {
    const outcomes = await Promise.all(
      [1, 2, 3, 4].map(async (round) => {
        const { id, page } = await savedBuild(broker);
        const other = await openPage(broker, id);
        await ask(other);
        const row = (await read().startOvers.findNewest(id)) ?? expect.fail();
        const execute = () => executeStartOver(broker.running().deps, row);
        const pair = round % 2 === 0 ? [execute(), refuse(page)] : [refuse(page), execute()];
        const [one, two] = await Promise.all(pair);
        const done = typeof one === "boolean" ? one : two;
        const answer = (typeof one === "boolean" ? two : one) as Answer;
        const { state } = (await read().startOvers.findNewest(id)) ?? expect.fail();
        return { done, refused: answer.status === 200, state, keys: (await keysOf(id)).length };
      }),
    );
    for (const { done, refused, state, keys } of outcomes) {
      expect([done, refused]).toContain(true);
      expect([state, done, keys]).toEqual(done === true ? ["done", true, 0] : ["refused", false, 1]);
    }
  });

  it("is not refused any more when its time is over", async () => {
    const { id, page } = await savedBuild(broker);
    await ask(await openPage(broker, id));
    broker.advance(aDay + 1_000);
    const again = await openPage(broker, id, page.browser);
    expect(codeOf(await refuse(again))).toBe("conflict");
    expect(await sweep()).toBe(1);
  });

  it.each([
    ["before anything is saved", "none"],
    ["as the person", "you"],
  ])("is not for a visitor %s", async (_when, standing) => {
    const { page } = await savedBuild(broker);
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const visitor = standing === "you" ? page : await openPage(broker, id);
    expect((await visitor.settings()).person.standing).toBe(standing);
    expect(codeOf(await ask(visitor))).toBe("conflict");
  });
});

describe("starting over after the switch", () => {
  const secretOf = async (id: string) => (await broker.readEnv(id)).JWT_SECRET;

  it("keeps the old keys in use, read by nobody, until the new person's switch replaces and deletes them", async () => {
    const { id, page } = await savedBuild(broker);
    await switchAll(page);
    const old = await keysOf(id);
    const secret = await secretOf(id);
    broker.advance(aDay);
    const other = await openPage(broker, id);
    expect(personOf(await ask(other))).toMatchObject({ startOver: { state: "waiting" } });
    broker.advance(aDay + 1_000);
    expect(await sweep()).toBe(1);
    expect(await keysOf(id)).toEqual(old);
    const fresh = await openPage(broker, id);
    const view = await fresh.settings();
    expect(view).toMatchObject({ person: { standing: "none" }, bindings: [{ source: "user" }] });
    expect(view.bindings[0]?.saved).toBeUndefined();
    const isForeign = async (method: string, path: string, body = {}) => {
      const answer =
        method === "GET" ? await fresh.call("GET", path) : await fresh.change(method, path, body);
      expect([path, answer.status, codeOf(answer)]).toEqual([path, 409, "not_ready"]);
    };
    const tryAll = async () => {
      await isForeign("GET", "/v1/settings/env-file");
      await isForeign("GET", "/v1/settings/env-file?preview=true");
      await isForeign("POST", "/v1/settings/revert");
      await isForeign("POST", "/v1/settings/finish");
    };
    await tryAll();
    const version = await fresh.version();
    expect(
      (await fresh.call("DELETE", `/v1/settings/keys/app-secrets?expectedVersion=${version}`)).status,
    ).toBe(404);
    expect((await fresh.change("POST", "/v1/settings/keys/app-secrets/recheck")).status).toBe(404);
    expect((await fresh.change("POST", "/v1/settings/swap")).status).toBe(404);
    await fresh.save("app-secrets", {});
    await tryAll();
    expect(await secretOf(id)).toBe(secret);
    await switchAll(fresh);
    expect(await keysOf(id)).toHaveLength(1);
    expect(await keysOf(id)).not.toEqual(old);
    expect(await secretOf(id)).not.toBe(secret);
    const file = await fresh.call("GET", "/v1/settings/env-file");
    expect([file.status, file.text.includes(secret ?? "")]).toEqual([200, false]);
    expect((await fresh.change("POST", "/v1/settings/finish")).status).toBe(200);
  });

  describe("going back from the keys of a person who was replaced", () => {
    const reason = "Your app is broken; we look into it.";
    async function replaced(): Promise<{ readonly id: string; readonly newcomer: TestPage }> {
      const { id, page } = await savedBuild(broker);
      await switchAll(page);
      await ask(await openPage(broker, id));
      broker.advance(aDay + 1_000);
      expect(await sweep()).toBe(1);
      const newcomer = await openPage(broker, id);
      await newcomer.save("app-secrets", {});
      await newcomer.change("PUT", "/v1/settings/tokens-may", { tokensMay: ["revert"] });
      return { id, newcomer };
    }
    const revert = (id: string, body: Record<string, unknown>, token = broker.adminToken) =>
      broker.call("POST", `/v1/builds/${id}/revert`, { body, token });

    it("is for no page and no token, whatever is allowed, nor the admin without a reason", async () => {
      const { id, newcomer } = await replaced();
      const made = await broker.call("POST", "/v1/tokens", { body: { name: "x", scopes: ["builds:write"] } });
      const { token } = made.body as { token: string };
      const answers = [
        await newcomer.change("POST", "/v1/settings/revert"),
        await revert(id, {}, token),
        await revert(id, { reason }, token),
        await revert(id, {}),
      ];
      expect(answers.map(codeOf)).toEqual(["not_ready", "not_ready", "not_ready", "not_ready"]);
      expect(await keysOf(id)).toHaveLength(2);
    });

    it("deletes them when the admin does it, and the audit and the notice say so", async () => {
      const { id, newcomer } = await replaced();
      const mine = (await newcomer.settings()).bindings.map(({ saved }) => saved);
      expect((await revert(id, { reason })).status).toBe(200);
      expect(await keysOf(id)).toHaveLength(1);
      const after = await newcomer.settings();
      expect(after.bindings.map(({ saved }) => saved)).toEqual(mine);
      const { events } = (await broker.call("GET", `/v1/audit?entity=${id}&action=keys.reverted`))
        .body as AuditList;
      expect(events).toMatchObject([{ details: { reason, deletedOfReplacedPerson: ["app-secrets"] } }]);
      const jobs = await read().jobs.list({ kind: "notify", limit: 200 });
      const notice = jobs
        .map(({ payload }) => JSON.stringify(payload))
        .find((text) => text.includes("still"));
      expect(notice).toContain("are deleted: app-secrets.");
    });

    it("is rehearsed, because the admin could do it", async () => {
      const { id } = await replaced();
      const { builds } = (await broker.call("POST", "/v1/rollback/rehearsals")).body as Rehearsal;
      expect(builds.find((build) => build.id === id)).toMatchObject({ ok: true });
    });
  });

  it("never happens after the finish, which also refuses one that waits", async () => {
    const { id, page } = await savedBuild(broker);
    await switchAll(page);
    const other = await openPage(broker, id);
    await ask(other);
    expect((await page.change("POST", "/v1/settings/finish")).status).toBe(200);
    expect((await ask(other)).status).toBe(401);
    expect(codeOf(await ask(page))).toBe("conflict");
    expect((await auditOf(id))[0]).toBe("start_over.refused");
    broker.advance(aDay + 1_000);
    expect(await sweep()).toBe(0);
  });
});

describe("what was saved before persons were known", () => {
  async function oldBuild(switched: boolean): Promise<{ id: string; browser: TestBrowser }> {
    const { id, page } = await savedBuild(broker);
    if (switched) await switchAll(page);
    const person = (await read().persons.findByBuild(id)) ?? expect.fail();
    // As a store of an older version has it after the upgrade.
    const store = await createStoreWriter(broker.dataDirectory);
    await store.run(
      { sql: "DELETE FROM persons WHERE id = ?", args: [person.id] },
      { sql: "DELETE FROM person_browsers WHERE person_id = ?", args: [person.id] },
      { sql: "UPDATE user_keys SET person_id = NULL WHERE build_id = ?", args: [id] },
    );
    return { id, browser: page.browser };
  }

  it("can be proven by nobody, and only be started over", async () => {
    const { id, browser } = await oldBuild(false);
    const page = await openPage(broker, id, browser);
    expect((await page.settings()).person.standing).toBe("nobody_can_prove");
    expect(codeOf(await page.save("app-secrets", {}))).toBe("person_only");
    expect(personOf(await ask(page)).startOver?.state).toBe("waiting");
    broker.advance(aDay + 1_000);
    await sweep();
    const fresh = await openPage(broker, id);
    expect((await fresh.settings()).person.standing).toBe("none");
    expect(await keysOf(id)).toEqual([]);
    expect((await fresh.save("app-secrets", {})).status).toBe(200);
  });

  it("stays in use when the app uses it, and belongs to the one who starts over no more than any other", async () => {
    const { id, browser } = await oldBuild(true);
    const page = await openPage(broker, id, browser);
    expect((await page.call("GET", "/v1/settings/env-file")).status).toBe(403);
    await ask(page);
    broker.advance(aDay + 1_000);
    await sweep();
    const fresh = await openPage(broker, id, browser);
    expect((await fresh.settings()).person.standing).toBe("none");
    expect(await keysOf(id)).toHaveLength(1);
    expect(codeOf(await fresh.call("GET", "/v1/settings/env-file"))).toBe("not_ready");
  });
});
