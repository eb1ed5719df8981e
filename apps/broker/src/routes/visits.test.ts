import type { AuditList, ErrorEnvelope, TokenList, VisitList } from "@keyloan/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, createTestBroker, type TestBroker } from "../testing/create-test-broker.ts";
import { openPage, openPageBy } from "../testing/open-page.ts";
import { savedBuild } from "../testing/saved-build.ts";

let broker: TestBroker;
beforeAll(async () => {
  broker = await createTestBroker({ emulators: [] });
});
afterAll(() => broker.close());

const codeOf = (answer: Answer) => (answer.body as ErrorEnvelope).error.code;

describe("the visits of a build's page", () => {
  it("are listed newest first, with how they were opened and which are the person's", async () => {
    const { id, page } = await savedBuild(broker);
    broker.advance(1_000);
    await openPage(broker, id);
    broker.advance(1_000);
    await openPageBy(broker, { buildId: id }, page.browser);
    const answer = await broker.call("GET", `/v1/builds/${id}/sessions`);
    const { sessions } = answer.body as VisitList;
    expect(sessions.map(({ openedBy, isPerson }) => [openedBy, isPerson])).toEqual([
      ["browser", true],
      ["link", false],
      ["link", true],
    ]);
    expect(sessions.map(({ endedAt }) => endedAt !== undefined)).toEqual([false, false, true]);
    expect(answer.text).not.toMatch(/klo_|hash|Key/);
  });

  it("end when the platform says so, for this build alone, and the person comes in again", async () => {
    const { id, page } = await savedBuild(broker);
    const other = await savedBuild(broker);
    const [visit] = ((await broker.call("GET", `/v1/builds/${id}/sessions`)).body as VisitList).sessions;
    const foreign = await broker.call("DELETE", `/v1/builds/${other.id}/sessions/${visit?.id}`);
    expect([foreign.status, codeOf(foreign)]).toEqual([404, "not_found"]);
    expect((await page.call("GET", "/v1/settings")).status).toBe(200);
    expect((await broker.call("DELETE", `/v1/builds/${id}/sessions/${visit?.id}`)).status).toBe(204);
    expect((await page.call("GET", "/v1/settings")).status).toBe(401);
    const again = await openPageBy(broker, { buildId: id }, page.browser);
    expect((await again.settings()).person.standing).toBe("you");
    const { events } = (await broker.call("GET", `/v1/audit?entity=${id}&action=session.ended`))
      .body as AuditList;
    expect(events).toMatchObject([{ actor: "admin:admin", details: { sessionId: visit?.id } }]);
  });

  it("of a build that does not exist are 404", async () => {
    expect((await broker.call("GET", "/v1/builds/bld_00000000000000000000/sessions")).status).toBe(404);
  });
});

describe("the tokens of a build", () => {
  it("are listed page by page, never their text, and end for this build alone", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const other = await broker.createBuild({ connectors: ["app-secrets"] });
    const token = await broker.createBuildToken(id);
    broker.advance(1_000);
    const once = await broker.createBuildToken(id, { singleUse: true });
    await broker.readEnv(id, once);
    const first = await broker.call("GET", `/v1/builds/${id}/tokens?limit=1`);
    const { tokens, nextCursor } = first.body as TokenList;
    expect(tokens).toMatchObject([{ kind: "build", lastUsedAt: expect.any(String) }]);
    const second = await broker.call("GET", `/v1/builds/${id}/tokens?cursor=${nextCursor}`);
    const [oldest] = (second.body as TokenList).tokens;
    expect(first.text + second.text).not.toContain("klo_");
    expect((await broker.call("DELETE", `/v1/builds/${other.id}/tokens/${oldest?.id}`)).status).toBe(404);
    await broker.readEnv(id, token);
    expect((await broker.call("DELETE", `/v1/builds/${id}/tokens/${oldest?.id}`)).status).toBe(204);
    expect((await broker.call("GET", `/v1/builds/${id}/env`, { token })).status).toBe(401);
    expect(((await broker.call("GET", `/v1/builds/${other.id}/tokens`)).body as TokenList).tokens).toEqual(
      [],
    );
  });
});
