import type { BuildView, LeaseList, ListedLease } from "@keyloan/contract";
import { createClient } from "@keyloan/sdk";
import { startWatchedKeyloan, type WatchedKeyloan } from "@keyloan/test-kit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RunOptions, runKeyloan } from "./testing/run-keyloan.ts";

let broker: WatchedKeyloan;
let build: BuildView;
beforeAll(async () => {
  broker = await startWatchedKeyloan();
});
afterAll(() => broker.close());
beforeEach(async () => {
  build = await broker.createBuild({ connectors: ["memory-files", "memory-keys"] });
  broker.seen.length = 0;
});
afterEach(async () => {
  broker.provider.troubles.clear();
  await broker.call("DELETE", `/v1/builds/${build.id}?wait=0`);
});

const keyloan = (line: string, options: RunOptions = {}) =>
  runKeyloan(line.split(" "), {
    ...options,
    env: { KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: broker.adminToken, NO_COLOR: "1", ...options.env },
  });
const idOf = (connector: string) =>
  build.leases.find((lease) => lease.connector === connector)?.id ?? expect.fail();
const leaseAt = async (connector: string) =>
  (await broker.call("GET", `/v1/leases/${idOf(connector)}`)).body as ListedLease;
const statesOf = async () => [(await leaseAt("memory-files")).state, (await leaseAt("memory-keys")).state];

describe("lease list", () => {
  test("asks for what was named, and prints it without values", async () => {
    const { code, out } = await keyloan(
      `lease list --state active --connector memory-files --build ${build.id}`,
    );
    expect(code).toBe(0);
    expect(Object.fromEntries(broker.seen[0]?.query ?? [])).toEqual({
      state: "active",
      connector: "memory-files",
      buildId: build.id,
    });
    expect(out).toContain(idOf("memory-files"));
    expect(out).not.toContain(idOf("memory-keys"));
    const { MEMORY_FILES_TOKEN = "" } = await broker.readEnv(build.id);
    expect(out).not.toContain(MEMORY_FILES_TOKEN);
  });

  test("goes through all pages, as JSON too", async () => {
    const { out } = await keyloan(`lease list --build ${build.id} --limit 1 --all --json`);
    const connectors = (JSON.parse(out) as LeaseList).leases.map(({ connector }) => connector);
    expect(connectors.toSorted()).toEqual(["memory-files", "memory-keys"]);
    const first = await broker.call("GET", `/v1/leases?buildId=${build.id}&limit=1`);
    const { nextCursor } = first.body as LeaseList;
    const { err } = await keyloan(`lease list --build ${build.id} --limit 1`);
    expect(err).toContain(`--cursor ${nextCursor ?? expect.fail()}`);
  });
});

describe("lease show", () => {
  test("tells what it is, when it ends and what revoking does", async () => {
    const { code, out } = await keyloan(`lease show ${idOf("memory-files")}`);
    expect(code).toBe(0);
    expect(out).toMatch(/State +active/);
    expect(out).toMatch(/Expires +\d{4}-/);
    expect(out).toContain("It is removed.");
    const { out: json } = await keyloan(`lease show ${idOf("memory-files")} --json`);
    expect(JSON.parse(json)).toEqual(await leaseAt("memory-files"));
  });

  test.each(["", " lse_1", " ../builds"])("without a lease id (%j) sends nothing", async (id) => {
    expect(await keyloan(`lease show${id}`)).toMatchObject({ code: 2, out: "" });
    expect(broker.seen).toHaveLength(0);
  });
});

describe("lease revoke", () => {
  test("ends one, and says when its provider is still being asked", async () => {
    const done = await keyloan(`lease revoke ${idOf("memory-files")}`);
    expect(done).toMatchObject({ code: 0, err: "" });
    expect(done.out).toMatch(/State +released/);
    broker.provider.troubles.set("revoke", "forbidden");
    const going = await keyloan(`lease revoke ${idOf("memory-keys")}`);
    expect(going.code).toBe(0);
    expect(going.err).toContain("still asking");
    const json = await keyloan(`lease revoke ${idOf("memory-keys")} --json`);
    expect(JSON.parse(json.out)).toMatchObject({ state: "releasing" });
  });

  test("tells of a lease that is not there", async () => {
    const { code, err } = await keyloan("lease revoke lse_00000000000000000009");
    expect(code).toBe(1);
    expect(err).toContain("there is no lease lse_00000000000000000009");
  });

  test("ends all of a connector when its name is typed, and nothing otherwise", async () => {
    const line = "lease revoke --connector memory-files";
    const declined = await keyloan(line, { terminal: true, stdin: "yes\n" });
    expect(declined).toMatchObject({ code: 1, out: "" });
    expect(declined.err).toContain("nothing was changed");
    expect(await statesOf()).toEqual(["active", "active"]);
    const agreed = await keyloan(line, { terminal: true, stdin: "memory-files\n" });
    expect(agreed.code).toBe(0);
    expect(agreed.err).toContain("1 leases of 1 builds are revoked (1 of memory-files).");
    await broker.finishWork();
    expect(await statesOf()).toEqual(["released", "active"]);
  });

  test("ends everything with --yes, without a terminal, and refuses without", async () => {
    expect(await keyloan("lease revoke --all")).toMatchObject({ code: 2, out: "" });
    expect(await statesOf()).toEqual(["active", "active"]);
    const { code, out } = await keyloan("lease revoke --all --yes --json");
    expect(code).toBe(0);
    const connectors = { "memory-files": 1, "memory-keys": 1 };
    expect(JSON.parse(out)).toEqual({ leases: 2, builds: 1, connectors });
    expect(JSON.parse(broker.seen.at(-1)?.body ?? "")).toEqual({ all: true, confirm: "all" });
    const again = await keyloan("lease revoke --all --yes");
    expect(again.err).toBe("0 leases of 0 builds are revoked.\n");
  });

  test.each(["", " --all --connector memory-files", " lse_00000000000000000000 --all --yes"])(
    "that does not name one thing (%j) sends nothing",
    async (rest) => {
      expect(await keyloan(`lease revoke${rest}`)).toMatchObject({ code: 2, out: "" });
      expect(broker.seen).toHaveLength(0);
    },
  );

  test("of many is the admin's alone", async () => {
    const env = { KEYLOAN_TOKEN: await broker.createApiToken() };
    const { code, err } = await keyloan("lease revoke --all --yes", { env });
    expect(code).toBe(1);
    expect(err).toContain("does not have permission to do that");
    expect(await statesOf()).toEqual(["active", "active"]);
  });
});

test("the client gives every lease, page after page", async () => {
  const client = createClient({ url: broker.url, token: broker.adminToken });
  const seen: string[] = [];
  const query = { limit: 1, buildId: build.id };
  for await (const { connector } of client.leases.listAll(query)) seen.push(connector);
  expect(seen.toSorted()).toEqual(["memory-files", "memory-keys"]);
  const { state } = await client.leases.revoke(idOf("memory-files"), { waitSeconds: 0 });
  expect(["releasing", "released"]).toContain(state);
  expect(broker.seen.at(-1)?.query.get("wait")).toBe("0");
  await broker.finishWork();
  expect((await client.leases.get(idOf("memory-files"))).state).toBe("released");
});
