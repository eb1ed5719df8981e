import { createClient } from "@keyloan/sdk";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FakeBroker, startFakeBroker } from "./testing/fake-broker.ts";
import { runKeyloan } from "./testing/run-keyloan.ts";
import { adminToken, sampleBuildId } from "./testing/samples.ts";

let broker: FakeBroker;
beforeEach(async () => {
  broker = await startFakeBroker();
});
afterEach(() => broker.close());

const keyloan = (line: string) =>
  runKeyloan(line.split(" "), { env: { KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: adminToken, NO_COLOR: "1" } });
const kinds = [
  ["tokens", "tok_3k9v0a5m2c7d8e4f6g1h", "revoked"],
  ["sessions", "ses_3k9v0a5m2c7d8e4f6g1h", "ended"],
] as const;

describe.each(kinds)("build %s", (kind, id, done) => {
  test("lists them, as a table and as JSON", async () => {
    const { code, out } = await keyloan(`build ${kind} ${sampleBuildId}`);
    expect([code, out.includes(id)]).toEqual([0, true]);
    const { out: json } = await keyloan(`build ${kind} --build ${sampleBuildId} --json`);
    expect(JSON.parse(json)).toMatchObject({ [kind]: [{ id }] });
  });

  test("ends one", async () => {
    const { code, out } = await keyloan(`build ${kind} ${sampleBuildId} --end ${id} --json`);
    expect([code, JSON.parse(out)]).toEqual([0, { id, [done]: true }]);
    expect(broker.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `DELETE /v1/builds/${sampleBuildId}/${kind}/${id}`,
    ]);
    expect((await keyloan(`build ${kind} ${sampleBuildId} --end ${id}`)).err).toContain(id);
  });

  test("tells of one that is not there, and asks nothing about what is no id", async () => {
    const other = id.replace("3k9v", "0000");
    expect(await keyloan(`build ${kind} ${sampleBuildId} --end ${other}`)).toMatchObject({ code: 1 });
    const asked = broker.seen.length;
    expect(await keyloan(`build ${kind} ${sampleBuildId} --end ../tokens`)).toMatchObject({ code: 2 });
    expect(await keyloan(`build ${kind}`)).toMatchObject({ code: 2 });
    expect(broker.seen).toHaveLength(asked);
  });
});

test("the client lists and ends them", async () => {
  const { builds } = createClient({ url: broker.url, token: adminToken });
  expect((await builds.listTokens(sampleBuildId, { limit: 1 })).tokens).toHaveLength(1);
  expect((await builds.listSessions(sampleBuildId)).sessions).toHaveLength(1);
  await builds.revokeToken(sampleBuildId, kinds[0][1]);
  await builds.endSession(sampleBuildId, kinds[1][1]);
  expect(broker.seen).toHaveLength(4);
});
