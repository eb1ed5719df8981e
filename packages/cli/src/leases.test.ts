import type { LeaseList, ListedLease } from "@keyloan/contract";
import { createClient } from "@keyloan/sdk";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FakeBroker, startFakeBroker } from "./testing/fake-broker.ts";
import { type RunOptions, runKeyloan } from "./testing/run-keyloan.ts";
import { adminToken, apiToken, sampleBuildId } from "./testing/samples.ts";

let broker: FakeBroker;
beforeEach(async () => {
  broker = await startFakeBroker();
});
afterEach(() => broker.close());

const keyloan = (line: string, options: RunOptions = {}) =>
  runKeyloan(line.split(" "), {
    ...options,
    env: { KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: adminToken, NO_COLOR: "1", ...options.env },
  });
const idOf = (connector: string) =>
  [...broker.state.leases.values()].find((lease) => lease.connector === connector)?.id ?? expect.fail();
const statesOf = () => [...broker.state.leases.values()].map(({ state }) => state);

describe("lease list", () => {
  test("asks for what was named, and prints it without values", async () => {
    const { code, out } = await keyloan(
      `lease list --state active --connector turso --build ${sampleBuildId}`,
    );
    expect(code).toBe(0);
    expect(Object.fromEntries(broker.seen[0]?.query ?? [])).toEqual({
      state: "active",
      connector: "turso",
      buildId: sampleBuildId,
    });
    expect(out).toContain(idOf("turso"));
    expect(out).not.toContain(idOf("r2"));
  });

  test("goes through all pages, as JSON too", async () => {
    const { out } = await keyloan("lease list --limit 1 --all --json");
    expect((JSON.parse(out) as LeaseList).leases.map(({ connector }) => connector)).toEqual(["turso", "r2"]);
    expect((await keyloan("lease list --limit 1")).err).toContain("--cursor 1");
  });
});

describe("lease show", () => {
  test("tells what it is, when it ends and what revoking does", async () => {
    const { code, out } = await keyloan(`lease show ${idOf("turso")}`);
    expect(code).toBe(0);
    expect(out).toMatch(/State +active/);
    expect(out).toContain("the resource is deleted");
    const { out: json } = await keyloan(`lease show ${idOf("turso")} --json`);
    expect(JSON.parse(json) as ListedLease).toEqual(broker.state.leases.get(idOf("turso")));
  });

  test.each(["", " lse_1", " ../builds"])("without a lease id (%j) sends nothing", async (id) => {
    expect(await keyloan(`lease show${id}`)).toMatchObject({ code: 2, out: "" });
    expect(broker.seen).toHaveLength(0);
  });
});

describe("lease revoke", () => {
  test("ends one, and says when its provider is still asked", async () => {
    const done = await keyloan(`lease revoke ${idOf("turso")}`);
    expect(done).toMatchObject({ code: 0, err: "" });
    expect(done.out).toMatch(/State +released/);
    const going = await keyloan(`lease revoke ${idOf("r2")}`);
    expect(going.code).toBe(0);
    expect(going.err).toContain("still asked");
    const json = await keyloan(`lease revoke ${idOf("r2")} --json`);
    expect(JSON.parse(json.out)).toMatchObject({ state: "releasing" });
  });

  test("tells of a lease that is not there", async () => {
    const { code, err } = await keyloan("lease revoke lse_00000000000000000009");
    expect(code).toBe(1);
    expect(err).toContain("no such lease");
  });

  test("ends all of a connector when its name is typed, and nothing otherwise", async () => {
    const declined = await keyloan("lease revoke --connector turso", { terminal: true, stdin: "yes\n" });
    expect(declined).toMatchObject({ code: 1, out: "" });
    expect(declined.err).toContain("nothing was changed");
    expect(statesOf()).toEqual(["active", "active"]);
    const agreed = await keyloan("lease revoke --connector turso", { terminal: true, stdin: "turso\n" });
    expect(agreed.code).toBe(0);
    expect(agreed.err).toContain("1 leases of 1 builds are revoked (1 of turso).");
    expect(statesOf()).toEqual(["released", "active"]);
  });

  test("ends everything with --yes, without a terminal, and refuses without", async () => {
    expect(await keyloan("lease revoke --all")).toMatchObject({ code: 2, out: "" });
    expect(statesOf()).toEqual(["active", "active"]);
    const { code, out } = await keyloan("lease revoke --all --yes --json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ leases: 2, builds: 1, connectors: { turso: 1, r2: 1 } });
    expect(JSON.parse(broker.seen.at(-1)?.body ?? "")).toEqual({ all: true, confirm: "all" });
    const again = await keyloan("lease revoke --all --yes");
    expect(again.err).toBe("0 leases of 0 builds are revoked.\n");
  });

  test.each(["", " --all --connector turso", " lse_00000000000000000000 --all --yes"])(
    "that does not name one thing (%j) sends nothing",
    async (rest) => {
      expect(await keyloan(`lease revoke${rest}`)).toMatchObject({ code: 2, out: "" });
      expect(broker.seen).toHaveLength(0);
    },
  );

  test("of many is the admin's alone", async () => {
    const { code, err } = await keyloan("lease revoke --all --yes", { env: { KEYLOAN_TOKEN: apiToken } });
    expect(code).toBe(1);
    expect(err).toContain("may not do that");
  });
});

test("the client gives every lease, page after page", async () => {
  const client = createClient({ url: broker.url, token: adminToken });
  const seen: string[] = [];
  for await (const { connector } of client.leases.listAll({ limit: 1 })) seen.push(connector);
  expect(seen).toEqual(["turso", "r2"]);
  expect((await client.leases.revoke(idOf("turso"), { waitSeconds: 0 })).state).toBe("released");
  expect(broker.seen.at(-1)?.query.get("wait")).toBe("0");
});
