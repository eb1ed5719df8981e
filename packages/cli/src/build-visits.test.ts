import type { TokenList, VisitList } from "@keyloan/contract";
import { createClient } from "@keyloan/sdk";
import { openPage, startWatchedKeyloan, type WatchedKeyloan } from "@keyloan/test-kit";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runKeyloan } from "./testing/run-keyloan.ts";

let broker: WatchedKeyloan;
let buildId: string;
let ids: Readonly<Record<"tokens" | "sessions", string>>;
beforeAll(async () => {
  broker = await startWatchedKeyloan();
});
afterAll(() => broker.close());
beforeEach(async () => {
  buildId = (await broker.createBuild({ connectors: ["app-secrets"] })).id;
  await broker.createBuildToken(buildId);
  await openPage(broker, buildId);
  const at = async (kind: string) => (await broker.call("GET", `/v1/builds/${buildId}/${kind}`)).body;
  const [{ tokens }, { sessions }] = [(await at("tokens")) as TokenList, (await at("sessions")) as VisitList];
  ids = { tokens: tokens[0]?.id ?? "", sessions: sessions[0]?.id ?? "" };
  broker.seen.length = 0;
});

const keyloan = (line: string) =>
  runKeyloan(line.split(" "), {
    env: { KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: broker.adminToken, NO_COLOR: "1" },
  });

describe.each([
  ["tokens", "revoked"],
  ["sessions", "ended"],
] as const)("build %s", (kind, done) => {
  test("lists them, as a table and as JSON", async () => {
    const { code, out } = await keyloan(`build ${kind} ${buildId}`);
    expect([code, out.includes(ids[kind])]).toEqual([0, true]);
    const { out: json } = await keyloan(`build ${kind} --build ${buildId} --json`);
    expect(JSON.parse(json)).toMatchObject({ [kind]: [{ id: ids[kind] }] });
  });

  test("ends one", async () => {
    const id = ids[kind];
    const { code, out } = await keyloan(`build ${kind} ${buildId} --end ${id} --json`);
    expect([code, JSON.parse(out)]).toEqual([0, { id, [done]: true }]);
    expect(broker.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `DELETE /v1/builds/${buildId}/${kind}/${id}`,
    ]);
    expect((await keyloan(`build ${kind} ${buildId} --end ${id}`)).err).toContain(id);
  });

  test("tells of one that is not there, and asks nothing about what is no id", async () => {
    const other = `${ids[kind].slice(0, 4)}${"0".repeat(20)}`;
    expect(await keyloan(`build ${kind} ${buildId} --end ${other}`)).toMatchObject({ code: 1 });
    const asked = broker.seen.length;
    expect(await keyloan(`build ${kind} ${buildId} --end ../tokens`)).toMatchObject({ code: 2 });
    expect(await keyloan(`build ${kind}`)).toMatchObject({ code: 2 });
    expect(broker.seen).toHaveLength(asked);
  });
});

test("the client lists and ends them", async () => {
  const { builds } = createClient({ url: broker.url, token: broker.adminToken });
  expect((await builds.listTokens(buildId, { limit: 1 })).tokens).toHaveLength(1);
  expect((await builds.listSessions(buildId)).sessions).toHaveLength(1);
  await builds.revokeToken(buildId, ids.tokens);
  await builds.endSession(buildId, ids.sessions);
  expect(broker.seen).toHaveLength(4);
});
