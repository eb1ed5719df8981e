import { createClient } from "@keyloan/sdk";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FakeBroker, startFakeBroker } from "./testing/fake-broker.ts";
import { sampleFindings } from "./testing/fake-reconcile.ts";
import { type RunOptions, runKeyloan } from "./testing/run-keyloan.ts";
import { adminToken, buildToken, sampleBuildId, sampleOrgKey } from "./testing/samples.ts";

let broker: FakeBroker;
beforeEach(async () => {
  broker = await startFakeBroker();
});
afterEach(() => broker.close());

const keyloan = (line: string, options: RunOptions = {}) =>
  runKeyloan(line.split(" "), {
    ...options,
    env: { KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: adminToken, ...options.env },
  });
const bodies = () =>
  broker.seen.filter(({ body }) => body !== "").map(({ body }) => JSON.parse(body) as unknown);
const leaseId = "lse_3k9v0a5m2c7d8e4f6g1h";
const fields = JSON.stringify({ organization: "acme", platformToken: "canary-new-token" });
const todo = "It still works. Delete this key at the provider: https://example.com";
const replace = () => {
  const old = { ...sampleOrgKey("turso", 0, Date.now()), state: "retiring", todo } as const;
  broker.state.comparing.replaced.set("turso", old);
};

describe("org-keys rotate", () => {
  test("puts the key, and is done when the old one is dead", async () => {
    replace();
    broker.state.comparing.oldIsDead = true;
    const { code, out, err } = await keyloan("org-keys rotate turso -", { stdin: fields });
    expect([code, out]).toEqual([0, expect.stringContaining("turso: version 1 is active")]);
    expect(err).toContain("dead at the provider");
    expect(out + err).not.toContain("canary");
    expect(bodies()).toEqual([{ fields: JSON.parse(fields) }, { end: false }]);
  });

  test("tells what a person has to do while it lives, with exit code 1", async () => {
    replace();
    const { code, err } = await keyloan("org-keys rotate turso -", { stdin: fields });
    expect(code).toBe(1);
    expect(err).toContain("Delete this key at the provider: https://example.com");
    expect(err).toContain("keyloan org-keys retire turso");
    const json = await keyloan("org-keys rotate turso - --json", { stdin: fields });
    expect(JSON.parse(json.out)).toMatchObject({ key: { state: "active" }, old: [{ state: "retiring" }] });
    expect(JSON.parse(json.err)).toMatchObject({ error: { code: "old_key_lives" } });
  });

  test("leaves leases that are being moved to the broker when the time is up", async () => {
    const old = {
      ...sampleOrgKey("turso", 0, 0),
      state: "retiring",
      leasesInUse: 3,
      flagged: 1,
      todo,
    } as const;
    broker.state.comparing.replaced.set("turso", old);
    let clock = 0;
    const now = () => (clock += 1000);
    const { code } = await keyloan("org-keys rotate turso - --wait 5", { stdin: fields, now });
    expect([code, bodies().length]).toEqual([1, 1]);
  });
});

describe("org-keys retire", () => {
  test("asks, and ends only when told to", async () => {
    replace();
    const { code, out } = await keyloan("org-keys retire turso");
    expect([code, out]).toEqual([1, "version 0: retiring\n"]);
    expect((await keyloan("org-keys retire turso --end")).err).toContain("--yes");
    const ended = await keyloan("org-keys retire turso --end --yes");
    expect([ended.code, ended.out]).toEqual([0, "version 0: retired, proved dead 2026-11-20\n"]);
    expect(bodies()).toEqual([{ end: false }, { end: true }]);
  });

  test("org-keys list shows age, flagged leases and what is to be done", async () => {
    const flags = [{ code: "other_account", message: "other account", remedy: "Keep it.", leases: 2 }];
    const old = {
      ...sampleOrgKey("turso", 0, 0),
      state: "retiring",
      leasesInUse: 3,
      flagged: 2,
      flags,
    } as const;
    broker.state.comparing.replaced.set("turso", {
      ...old,
      ageDays: 91,
      todo: "2 leases are going on with it.",
    });
    const { out } = await keyloan("org-keys list");
    expect(out).toMatch(/turso +0 +retiring +valid .* 91d +3 \(2 flagged\)/);
    expect(out).toContain("turso version 0: 2 leases are going on with it. 2 × other account. Keep it.");
  });
});

describe("lease rotate", () => {
  test.each([
    ["done", 0],
    ["overlapping", 0],
    ["requires_action", 1],
  ] as const)("that is %s ends with %i", async (state, expected) => {
    broker.state.audit.rotation = state;
    const { code, out } = await keyloan(`lease rotate ${leaseId} --overlap 5m --reason leak`);
    expect([code, out]).toEqual([expected, expect.stringContaining(`State     ${state}`)]);
    expect(bodies()).toEqual([{ overlapSeconds: 300, reason: "leak" }]);
    const json = await keyloan(`lease rotate ${leaseId} --json`);
    expect(JSON.parse(json.out)).toMatchObject({ lease: leaseId, state });
  });

  test("finds the lease by build and connector, and says when there is none", async () => {
    broker.state.audit.rotation = "done";
    const lease = (await createClient({ url: broker.url, token: adminToken }).builds.get(sampleBuildId))
      .leases[0];
    await keyloan(`lease rotate ${sampleBuildId} ${lease?.connector}`);
    expect(broker.seen.some(({ path }) => path === `/v1/leases/${lease?.id}/reissue`)).toBe(true);
    const none = await keyloan(`lease rotate ${sampleBuildId} nothing`);
    expect([none.code, none.err]).toEqual([1, expect.stringContaining('no lease of "nothing"')]);
  });

  test("that goes on when the time is up is not called done", async () => {
    broker.state.audit.rotation = "proving";
    let clock = 0;
    const { code, err } = await keyloan(`lease rotate ${leaseId} --wait 3`, { now: () => (clock += 1000) });
    expect([code, err]).toEqual([1, expect.stringContaining(`keyloan lease rotation ${leaseId}`)]);
    expect((await keyloan(`lease rotation ${leaseId}`)).code).toBe(0);
  });
});

describe("reconcile", () => {
  test("shows what was found and done, and ends with 1 when a person is needed", async () => {
    expect((await keyloan("reconcile")).code).toBe(0);
    broker.state.comparing.findings = sampleFindings;
    const { code, out } = await keyloan("reconcile --dry-run --connector turso");
    expect(code).toBe(1);
    expect(out).toContain("turso: compared, 4 listed, 2 findings");
    expect(out).toMatch(/turso +left over +ended +kl-over/);
    expect(out).toContain("No row knows it. End it by name.");
    expect(bodies().at(-1)).toEqual({ dryRun: true, connector: "turso" });
    expect(JSON.parse((await keyloan("reconcile --json")).out)).toMatchObject({ needsPerson: true });
  });

  test("ends an unknown one only by its name, and only when it is said so", async () => {
    broker.state.comparing.findings = sampleFindings;
    const name = sampleFindings[1]?.name ?? "";
    expect((await keyloan(`reconcile --end-unknown ${name}`)).code).toBe(2);
    expect((await keyloan(`reconcile --connector turso --end-unknown ${name}`)).err).toContain("--yes");
    expect(bodies()).toEqual([]);
    expect((await keyloan(`reconcile --connector turso --end-unknown ${name} --yes`)).code).toBe(0);
    expect((await keyloan("reconcile --connector turso --end-unknown kl-over --yes")).code).toBe(1);
  });

  test("is the operator's alone", async () => {
    const { code, err } = await keyloan("reconcile", { env: { KEYLOAN_TOKEN: buildToken } });
    expect([code, err]).toEqual([1, expect.stringContaining("may not do that")]);
  });
});

describe("root-key", () => {
  test("rotate goes on until none is left, and says so", async () => {
    broker.state.comparing.rewrapsLeft = 3;
    const { code, out } = await keyloan("root-key rotate");
    expect([code, out]).toEqual([0, expect.stringContaining("6 of 3 data keys were wrapped anew")]);
    expect(broker.seen).toHaveLength(3);
  });

  test("status shows each root key", async () => {
    const { code, out } = await keyloan("root-key status");
    expect([code, out]).toEqual([0, expect.stringMatching(/rk-8899aabbccddeeff +opens +1/)]);
    expect(out).toContain("1 are left");
  });
});
