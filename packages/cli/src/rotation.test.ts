import { type OrgKeyList, type OrgKeyView, type RotationView, Secret } from "@keyloan/contract";
import { answering, brokerHeaders, startWatchedKeyloan, type WatchedKeyloan } from "@keyloan/test-kit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RunOptions, runKeyloan } from "./testing/run-keyloan.ts";

let broker: WatchedKeyloan;
/** The org key of `memory-keys` that is in use. */
let current: { readonly organization: string; readonly platformToken: string };
let tokens = 0;
/** What is to be closed again. */
const builds: string[] = [];
beforeAll(async () => {
  broker = await startWatchedKeyloan();
  current = broker.provider.orgKey;
});
afterAll(() => broker.close());
beforeEach(() => {
  broker.seen.length = 0;
});
afterEach(async () => {
  broker.provider.troubles.clear();
  for (const id of builds.splice(0)) await broker.call("DELETE", `/v1/builds/${id}?wait=5`);
});

const keyloan = (line: string, options: RunOptions = {}) =>
  runKeyloan(line.split(" "), {
    ...options,
    env: { KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: broker.adminToken, ...options.env },
  });
const bodies = () =>
  broker.seen.filter(({ body }) => body !== "").map(({ body }) => JSON.parse(body) as unknown);
const newKey = (organization = "acme") => ({ organization, platformToken: `canary-new-token-${++tokens}` });
const versions = async () =>
  ((await broker.call("GET", "/v1/org-keys")).body as OrgKeyList).orgKeys.filter(
    ({ connector }) => connector === "memory-keys",
  );
const activeVersion = async () =>
  (await versions()).find(({ state }) => state === "active")?.version ?? expect.fail();

/** Puts a new key, and gives the version that it took the place of. */
async function replace(fields = newKey()): Promise<number> {
  const version = await activeVersion();
  expect((await broker.call("PUT", "/v1/org-keys/memory-keys", { body: { fields } })).status).toBe(200);
  current = fields;
  return version;
}

async function lend() {
  const { id, leases } = await broker.createBuild({ connectors: ["memory-keys"] });
  builds.push(id);
  broker.seen.length = 0;
  return { buildId: id, leaseId: leases[0]?.id ?? expect.fail() };
}

describe("org-keys rotate", () => {
  const rotate = (more = "", options: RunOptions = {}) => {
    const fields = newKey();
    const stdin = JSON.stringify(fields);
    current = fields;
    return keyloan(`org-keys rotate memory-keys -${more}`, { ...options, stdin });
  };

  test("puts the key, and is done when the old one is dead", async () => {
    broker.provider.ended.add(current.platformToken);
    const { code, out, err } = await rotate();
    expect([code, out]).toEqual([
      0,
      expect.stringContaining(`memory-keys: version ${await activeVersion()} is active`),
    ]);
    expect(err).toContain("dead at the provider");
    expect(out + err).not.toContain("canary");
    expect(bodies()[0]).toEqual({ fields: current });
    // The broker may have asked by itself before the command does.
    expect([[], [{ end: false }]]).toContainEqual(bodies().slice(1));
  });

  test("tells what a person has to do while it lives, with exit code 1", async () => {
    const { code, err } = await rotate();
    expect(code).toBe(1);
    expect(err.replace(/\s+/g, " ")).toContain("Delete this key at the provider: https://example.com/keys");
    expect(err).toContain("keyloan org-keys retire memory-keys");
    expect(bodies().slice(1)).toEqual([{ end: false }]);
    const json = await rotate(" --json");
    const { key, old } = JSON.parse(json.out) as { key: OrgKeyView; old: OrgKeyView[] };
    expect([key.state, old.map(({ state }) => state)]).toEqual([
      "active",
      expect.arrayContaining(["retiring"]),
    ]);
    expect(JSON.parse(json.err)).toMatchObject({ error: { code: "old_key_lives" } });
  });

  test("leaves leases that are being moved to the broker when the time is up", async () => {
    await lend();
    broker.provider.troubles.set("renew", "unavailable");
    let clock = 0;
    const now = () => (clock += 1000);
    const { code } = await rotate(" --wait 5", { now });
    expect([code, bodies()]).toEqual([1, [{ fields: current }]]);
  });
});

describe("org-keys retire", () => {
  test("asks, and ends only when told to", async () => {
    const old = await replace();
    broker.seen.length = 0;
    const { code, out } = await keyloan("org-keys retire memory-keys");
    expect([code, out]).toEqual([1, expect.stringContaining(`version ${old}: retiring\n`)]);
    expect((await keyloan("org-keys retire memory-keys --end")).err).toContain("--yes");
    expect(bodies()).toEqual([{ end: false }]);
    const ended = await keyloan("org-keys retire memory-keys --end --yes");
    const { provenDeadAt = "" } = (await versions()).find(({ version }) => version === old) ?? {};
    expect([ended.code, ended.out]).toEqual([
      0,
      expect.stringContaining(`version ${old}: retired, proved dead ${provenDeadAt.slice(0, 10)}\n`),
    ]);
    expect(provenDeadAt).not.toBe("");
    expect(bodies()).toEqual([{ end: false }, { end: true }]);
  });
});

describe("lease rotate", () => {
  test.each([
    ["done", "", undefined, 0],
    ["overlapping", " --overlap 5m", undefined, 0],
    ["requires_action", "", "forbidden", 1],
  ] as const)("that is %s ends with its exit code", async (state, overlap, trouble, expected) => {
    const { leaseId } = await lend();
    if (trouble !== undefined) broker.provider.troubles.set("rotate", trouble);
    const { code, out } = await keyloan(`lease rotate ${leaseId}${overlap} --reason leak`);
    expect([code, out]).toEqual([expected, expect.stringContaining(`State     ${state}`)]);
    expect(bodies()).toEqual([{ overlapSeconds: overlap === "" ? 0 : 300, reason: "leak" }]);
    const json = await keyloan(`lease rotate ${leaseId}${overlap} --json`);
    expect(JSON.parse(json.out)).toMatchObject({ lease: leaseId, state });
  });

  test("that ended with its lease is as good as done", async () => {
    const { leaseId } = await lend();
    const place = { lease: leaseId, build: "bld_1", connector: "memory-keys", job: "job_1" };
    const times = { startedAt: "2026-11-20T12:00:00.000Z", provenDead: false };
    const ended = { ...place, ...times, state: "ended", next: "You do not need to do anything." };
    broker.faults.push(answering(202, ended, brokerHeaders));
    expect((await keyloan(`lease rotate ${leaseId}`)).code).toBe(0);
  });

  test("finds the lease by build and connector, and says when there is none", async () => {
    const { buildId, leaseId } = await lend();
    await keyloan(`lease rotate ${buildId} memory-keys`);
    expect(
      broker.seen.some(({ method, path }) => method === "POST" && path === `/v1/leases/${leaseId}/rotation`),
    ).toBe(true);
    const none = await keyloan(`lease rotate ${buildId} nothing`);
    expect([none.code, none.err]).toEqual([1, expect.stringContaining('no lease of "nothing"')]);
  });

  test("that goes on when the time is up is not called done", async () => {
    const { leaseId } = await lend();
    broker.provider.troubles.set("check", "unavailable");
    let clock = 0;
    const { code, err } = await keyloan(`lease rotate ${leaseId} --wait 3`, { now: () => (clock += 1000) });
    expect([code, err]).toEqual([1, expect.stringContaining(`keyloan lease rotation ${leaseId}`)]);
    const rotation = async () =>
      (await broker.call("GET", `/v1/leases/${leaseId}/rotation`)).body as RotationView;
    await expect.poll(async () => (await rotation()).state).toBe("proving");
    expect((await keyloan(`lease rotation ${leaseId}`)).code).toBe(0);
  });
});

describe("reconcile", () => {
  const unknown = `kl-${"0".repeat(20)}`;
  /** What is left of a build that has ended, and one thing that no row knows. */
  const leave = async () => {
    const { id, leases } = await broker.createBuild({ connectors: ["memory-keys"] });
    await broker.call("DELETE", `/v1/builds/${id}?wait=5`);
    await broker.finishWork();
    const over = leases[0]?.resource.name ?? expect.fail();
    for (const name of [over, unknown]) broker.provider.held.set(name, []);
    broker.advance(6 * 60_000);
    broker.seen.length = 0;
    return over;
  };

  test("shows what was found and done, and ends with 1 when a person is needed", async () => {
    expect((await keyloan("reconcile")).code).toBe(0);
    const over = await leave();
    const { code, out } = await keyloan("reconcile --dry-run --connector memory-keys");
    expect(code).toBe(1);
    expect(out).toContain(`memory-keys: compared, ${broker.provider.held.size} listed, 2 findings`);
    expect(out).toMatch(new RegExp(`memory-keys +left over +told +${over}`));
    expect(out.replace(/\s+/g, " ")).toMatch(/no record of it: .* --end-unknown kl-0+/);
    expect(bodies().at(-1)).toEqual({ dryRun: true, connector: "memory-keys" });
    expect((await keyloan("reconcile")).out).toMatch(new RegExp(`memory-keys +left over +ended +${over}`));
    expect(JSON.parse((await keyloan("reconcile --json")).out)).toMatchObject({ needsPerson: true });
  });

  test("ends an unknown one only by its name, and only when it is said so", async () => {
    const over = await leave();
    expect((await keyloan(`reconcile --end-unknown ${unknown}`)).code).toBe(2);
    const line = "reconcile --connector memory-keys --end-unknown";
    expect((await keyloan(`${line} ${unknown}`)).err).toContain("--yes");
    expect(bodies()).toEqual([]);
    expect((await keyloan(`${line} ${unknown} --yes`)).code).toBe(0);
    expect((await keyloan(`${line} ${over} --yes`)).code).toBe(1);
    expect([broker.provider.held.has(unknown), broker.provider.held.has(over)]).toEqual([false, true]);
  });

  test("is the operator's alone", async () => {
    const { buildId } = await lend();
    const env = { KEYLOAN_TOKEN: await broker.createBuildToken(buildId) };
    const { code, err } = await keyloan("reconcile", { env });
    expect([code, err]).toEqual([1, expect.stringContaining("does not have permission to do that")]);
  });
});

test("org-keys list shows age, flagged leases and what is to be done", async () => {
  const put = await replace();
  broker.advance(91 * 86_400_000);
  await lend();
  await lend();
  const old = await replace(newKey("another"));
  expect(old).toBe(put + 1);
  const flagged = async () => (await versions()).find(({ version }) => version === old)?.flagged;
  await expect.poll(flagged, { timeout: 10_000 }).toBe(2);
  const { out } = await keyloan("org-keys list");
  expect(out).toMatch(new RegExp(`memory-keys +${old} +retiring +valid .* 91d +2 \\(2 flagged\\)`));
  const words = out.replace(/\s+/g, " ");
  expect(words).toContain(`memory-keys version ${old}: 2 leases are using it`);
  expect(words).toContain(
    "2 × memory-keys: the new org key belongs to another account. Keep the key of version",
  );
});

describe("root-key", () => {
  beforeAll(async () => {
    const added = await runKeyloan(["root-key", "create"]);
    const { rootKey } = broker.config;
    await broker.restart({ rootKey: Secret.of(`${added.out}${rootKey.reveal()}`) });
  });

  test("status shows each root key", async () => {
    const { code, out } = await keyloan("root-key status");
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/rk-[0-9a-f]{16} +current +0\n.*rk-[0-9a-f]{16} +opens +\d/),
    ]);
    expect(out).toMatch(/[1-9]\d* are still to be rewrapped/);
  });

  test("rotate goes on until none is left, and says so", async () => {
    // A broker gives each call some seconds, in which it does more than a test can make.
    const part = { dataKeys: 9, rewrapped: 2, left: 2, currentKeyId: "rk-0011223344556677" };
    broker.faults.push(answering(200, part, brokerHeaders), answering(200, part, brokerHeaders));
    const { code, out } = await keyloan("root-key rotate");
    const [, rewrapped, dataKeys] = /(\d+) of (\d+) data keys were rewrapped/.exec(out) ?? [];
    expect([code, Number(rewrapped)]).toEqual([0, Number(dataKeys) + 4]);
    expect(broker.seen).toHaveLength(3);
    expect((await keyloan("root-key status")).out).not.toContain("are left");
  });
});
