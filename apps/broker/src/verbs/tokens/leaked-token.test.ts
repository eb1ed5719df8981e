import { afterEach, beforeEach, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "../../testing/create-test-broker.ts";
import { openPage, openPageBy } from "../../testing/open-page.ts";

let broker: TestBroker;
beforeEach(async () => {
  broker = await createTestBroker({ emulators: [] });
});
afterEach(() => broker.close());

async function makeToken(): Promise<{ id: string; token: string }> {
  const body = { name: "platform", scopes: ["builds:write"] };
  return (await broker.call("POST", "/v1/tokens", { body })).body as { id: string; token: string };
}

/** A new build, and the code of a link to it that a token made. */
async function newBuildAndCode(token: string): Promise<{ buildId: string; code: string }> {
  const { id: buildId } = await broker.createBuild({ connectors: ["app-secrets"] });
  const made = await broker.call("POST", `/v1/builds/${buildId}/handoff`, { token, body: {} });
  return { buildId, code: new URL((made.body as { url: string }).url).hash.replace("#code=", "") };
}

/** What becomes of a link: it opens, or the code of the error. */
async function opening(code: string): Promise<string> {
  const headers = { "x-keyloan-session": "1" };
  const { status, body } = await broker.call("POST", "/v1/session", { token: null, body: { code }, headers });
  return status === 201 ? "opened" : (body as { error: { code: string } }).error.code;
}

it("ends with the links that it made and the visits of its builds that have proven nobody", async () => {
  const stolen = await makeToken();
  const other = await makeToken();
  const waiting = await newBuildAndCode(stolen.token);
  const entered = await newBuildAndCode(stolen.token);
  const elsewhere = await newBuildAndCode(other.token);
  const thief = await openPageBy(broker, { code: entered.code });
  const user = await openPage(broker, entered.buildId);
  expect((await user.save("app-secrets", {})).status).toBe(200);
  const unrelated = await openPage(broker, elsewhere.buildId);
  expect((await broker.call("DELETE", `/v1/tokens/${stolen.id}?leaked=true`)).status).toBe(204);
  expect((await thief.call("GET", "/v1/settings")).status).toBe(401);
  expect(await opening(waiting.code)).toBe("handoff_expired");
  expect((await user.call("GET", "/v1/settings")).status).toBe(200);
  expect((await unrelated.call("GET", "/v1/settings")).status).toBe(200);
  const { body } = await broker.call("GET", "/v1/audit?action=token.revoked");
  expect(body).toMatchObject({
    events: [{ entity: stolen.id, details: { leaked: true, builds: 2, visits: 1 } }],
  });
});

it("that is revoked without a leak leaves its users their links", async () => {
  const { id, token } = await makeToken();
  const { code } = await newBuildAndCode(token);
  expect((await broker.call("DELETE", `/v1/tokens/${id}`)).status).toBe(204);
  expect(await opening(code)).toBe("opened");
});

it("is revoked again as leaked when that is learned later", async () => {
  const { id, token } = await makeToken();
  const { code } = await newBuildAndCode(token);
  for (const query of ["", "?leaked=true"])
    expect((await broker.call("DELETE", `/v1/tokens/${id}${query}`)).status).toBe(204);
  expect(await opening(code)).toBe("handoff_expired");
});
