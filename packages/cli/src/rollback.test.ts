import {
  allowTokens,
  savedBuild,
  startWatchedKeyloan,
  switchAll,
  type WatchedKeyloan,
} from "@keyloan/test-kit";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type RunOptions, runKeyloan } from "./testing/run-keyloan.ts";

let broker: WatchedKeyloan;
/** A build whose app uses what its user saved. */
let buildId: string;
beforeAll(async () => {
  broker = await startWatchedKeyloan();
});
afterAll(() => broker.close());
beforeEach(async () => {
  const { id, page } = await savedBuild(broker);
  await switchAll(page);
  buildId = id;
  broker.seen.length = 0;
});

const keyloan = (line: string | readonly string[], options: RunOptions = {}) =>
  runKeyloan(typeof line === "string" ? line.split(" ") : line, {
    ...options,
    env: { KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: broker.adminToken },
  });
const store = () => broker.running().deps.store;

test("a rehearsal tells each step and the whole time", async () => {
  const { code, out } = await keyloan("rollback --rehearse");
  expect(code).toBe(0);
  expect(out).toMatch(/copy: \d+ kB copied \(\d+ ms\)/);
  expect(out).toMatch(/A rollback works; the rehearsal took \d+ ms\./);
  expect(broker.seen[0]).toMatchObject({ method: "POST", path: "/v1/rollback/rehearsals" });
});

test("going back asks first, and is not done without a yes", async () => {
  await allowTokens(broker, buildId, "revert");
  const refused = await keyloan(`rollback ${buildId}`, { terminal: true, stdin: "n\n" });
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("nothing was changed") });
  const nobody = await keyloan(`rollback ${buildId}`);
  expect(nobody).toMatchObject({ code: 2, err: expect.stringContaining("--yes") });
  expect(broker.seen).toEqual([]);
  const done = await keyloan(`rollback ${buildId}`, { terminal: true, stdin: "yes\n" });
  expect(done.code).toBe(0);
  expect(broker.seen[0]).toMatchObject({ method: "POST", path: `/v1/builds/${buildId}/revert` });
});

test("the admin's reason goes along, for the app's user to read", async () => {
  const args = ["rollback", buildId, "--yes", "--reason", "Your database answers errors."];
  expect((await keyloan(args)).code).toBe(0);
  expect(broker.seen[0]).toMatchObject({ body: '{"reason":"Your database answers errors."}' });
});

test("a build whose lending has ended says so", async () => {
  await store().write([], (tables) => tables.builds.endLending(buildId, Date.UTC(2026, 10, 24, 12)));
  const { out } = await keyloan(`build show ${buildId}`);
  expect(out).toMatch(/^Lending +ended 2026-11-24 .*their own keys for everything$/m);
});

test("a rehearsal of one build is a wrong command line", async () => {
  expect((await keyloan(`rollback --rehearse ${buildId}`)).code).toBe(2);
});

test("a rehearsal that fails names the build and ends with 1", async () => {
  const [lease = expect.fail()] = await store().read.leases.listByBuild(buildId);
  await store().write([], (tables) =>
    tables.leases.update(lease.id, ["active"], { state: "releasing", env: null }),
  );
  const { code, out } = await keyloan("rollback --rehearse");
  expect(code).toBe(1);
  expect(out).toMatch(new RegExp(`failed +${buildId} test app: .+`));
  expect(out).toContain("A rollback would not work");
});
