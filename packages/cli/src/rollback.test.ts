import type { Rehearsal } from "@keyloan/contract";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FakeBroker, startFakeBroker } from "./testing/fake-broker.ts";
import { type RunOptions, runKeyloan } from "./testing/run-keyloan.ts";
import { adminToken, sampleBuild, sampleBuildId } from "./testing/samples.ts";

let broker: FakeBroker;
beforeEach(async () => {
  broker = await startFakeBroker();
});
afterEach(() => broker.close());

const keyloan = (line: string, options: RunOptions = {}) =>
  runKeyloan(line.split(" "), { ...options, env: { KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: adminToken } });

function answerWith(body: unknown): void {
  broker.faults.push((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
    return true;
  });
}

const rehearsal = (ok: boolean): Rehearsal => ({
  ok,
  startedAt: "2026-11-21T12:00:00.000Z",
  milliseconds: 41,
  steps: [{ name: "copy", ok: true, milliseconds: 12, message: "120 kB copied" }],
  builds: [{ id: sampleBuildId, name: "todo-app", ok, milliseconds: 3, message: "a lent key has ended" }],
});

test("a rehearsal tells each step and the whole time", async () => {
  answerWith(rehearsal(true));
  const { code, out } = await keyloan("rollback --rehearse");
  expect(code).toBe(0);
  expect(out).toContain("120 kB copied (12 ms)");
  expect(out).toContain("A rollback works; the rehearsal took 41 ms.");
  expect(broker.seen[0]).toMatchObject({ method: "POST", path: "/v1/rollback/rehearsals" });
});

test("a rehearsal that fails names the build and ends with 1", async () => {
  answerWith(rehearsal(false));
  const { code, out } = await keyloan("rollback --rehearse");
  expect(code).toBe(1);
  expect(out).toContain(`${sampleBuildId} todo-app: a lent key has ended`);
});

test("going back asks first, and is not done without a yes", async () => {
  const refused = await keyloan(`rollback ${sampleBuildId}`, { terminal: true, stdin: "n\n" });
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("nothing was changed") });
  const nobody = await keyloan(`rollback ${sampleBuildId}`);
  expect(nobody).toMatchObject({ code: 2, err: expect.stringContaining("--yes") });
  expect(broker.seen).toEqual([]);
  answerWith(sampleBuild(sampleBuildId, { name: "todo-app" }, Date.now()));
  const done = await keyloan(`rollback ${sampleBuildId}`, { terminal: true, stdin: "yes\n" });
  expect(done.code).toBe(0);
  expect(broker.seen[0]).toMatchObject({ method: "POST", path: `/v1/builds/${sampleBuildId}/revert` });
});

test("the admin's reason goes along, for the app's user to read", async () => {
  answerWith(sampleBuild(sampleBuildId, { name: "todo-app" }, Date.now()));
  const args = ["rollback", sampleBuildId, "--yes", "--reason", "Your database answers errors."];
  const env = { KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: adminToken };
  expect((await runKeyloan(args, { env })).code).toBe(0);
  expect(broker.seen[0]).toMatchObject({ body: '{"reason":"Your database answers errors."}' });
});

test("a build whose lending has ended says so", async () => {
  const build = sampleBuild(sampleBuildId, { name: "todo-app" }, Date.now());
  answerWith({ ...build, lendingEndedAt: "2026-11-24T12:00:00.000Z" });
  const { out } = await keyloan(`build show ${sampleBuildId}`);
  expect(out).toMatch(/^Lending +ended 2026-11-24 .*keys of their own for everything$/m);
});

test("a rehearsal of one build is a wrong command line", async () => {
  expect((await keyloan(`rollback --rehearse ${sampleBuildId}`)).code).toBe(2);
});
