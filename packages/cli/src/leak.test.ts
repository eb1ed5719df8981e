import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connector, RotationView } from "@keyloan/contract";
import { answering, brokerHeaders, startWatchedKeyloan, type WatchedKeyloan } from "@keyloan/test-kit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { momentText } from "./shell/moments.ts";
import { type RunOptions, runKeyloan } from "./testing/run-keyloan.ts";

let broker: WatchedKeyloan;
let folder: string;
let buildId: string;
let leaseId: string;
/** The lent token of `memory-keys`. */
let secret: string;
beforeAll(async () => {
  broker = await startWatchedKeyloan({}, (connectors) => [...connectors, ...connectors.flatMap(sharedKey)]);
});
afterAll(() => broker.close());
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "keyloan-leak-"));
  const { id, leases } = await broker.createBuild({ connectors: ["memory-keys"] });
  [buildId, leaseId] = [id, leases[0]?.id ?? ""];
  secret = (await broker.readEnv(id)).MEMORY_KEYS_TOKEN ?? "";
  broker.seen.length = 0;
});
afterEach(() => {
  broker.provider.troubles.clear();
  rmSync(folder, { recursive: true, force: true });
});

/** A key that every build shares. */
function sharedKey({ spec, issuer, validate }: Connector): Connector[] {
  if (spec.id !== "memory-files" || issuer === undefined) return [];
  const shared = (name: string) => name.replace("FILES", "SHARED");
  const issue: typeof issuer.issue = async (...given) => {
    const values = Object.entries(await issuer.issue(...given));
    return Object.fromEntries(values.map(([name, value]) => [shared(name), value]));
  };
  const env = spec.env.map((variable) => ({ ...variable, name: shared(variable.name) }));
  return [
    { spec: { ...spec, id: "memory-shared", grade: "E", env }, validate, issuer: { ...issuer, issue } },
  ];
}

const keyloan = (line: string, options: RunOptions = {}) =>
  runKeyloan(line.split(" "), {
    ...options,
    env: { KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: broker.adminToken, ...options.env },
  });
const changes = () =>
  broker.seen
    .filter(({ method, path }) => method !== "GET" && !path.startsWith("/v1/audit"))
    .map(({ method, path }) => `${method} ${path}`);

describe("leak report", () => {
  test("tells the build, who fetched the value and when, and exits with 1 while it may still work", async () => {
    const token = await broker.createBuildToken(buildId);
    for (const _ of [1, 2]) await broker.readEnv(buildId, token);
    const { code, out, err } = await keyloan("leak report -", { stdin: `${secret}\n` });
    expect({ code, err }).toEqual({ code: 1, err: "" });
    const reads = await broker.call("GET", `/v1/audit?entity=${buildId}&action=env.read`);
    const { events } = reads.body as { events: { at: string; actor: string }[] };
    for (const text of [
      "MEMORY_KEYS_TOKEN of memory-keys: may still work",
      `${buildId} (test app)`,
      "3 times",
      ...events.map(({ at, actor }) => `${momentText(at)}  ${actor}`),
    ])
      expect(out).toContain(text);
    expect(events.map(({ actor }) => actor.split(":")[0])).toEqual(["workload", "workload", "admin"]);
    expect(out).not.toContain(secret);
    expect(changes()).toEqual([]);
  });

  test("exits with 0 for what is not ours and for what is dead", async () => {
    const unknown = await keyloan("leak report -", { stdin: "something else" });
    expect([unknown.code, unknown.out]).toEqual([0, expect.stringContaining("never lent")]);
    await broker.call("DELETE", `/v1/builds/${buildId}?wait=5`);
    await broker.finishWork();
    const dead = await keyloan("leak report -", { stdin: secret });
    expect([dead.code, dead.out]).toEqual([0, expect.stringContaining("memory-keys: dead")]);
  });

  test("warns of a value given as an argument, asks on a terminal, and refuses an empty one", async () => {
    const given = await keyloan(`leak report ${secret}`);
    expect(given.err).toContain("shell's history");
    const asked = await keyloan("leak report", { stdin: `${secret}\n`, terminal: true });
    expect([asked.code, asked.err]).toEqual([1, expect.stringContaining("The leaked value (not shown)")]);
    expect(asked.err).not.toContain(secret);
    expect((await keyloan("leak report -", { stdin: " \n" })).code).toBe(2);
  });

  test("ends a lease's credentials with one command and says what comes next", async () => {
    const { code, out } = await keyloan("leak report --end --yes -", { stdin: secret });
    expect(code).toBe(0);
    expect(changes()).toEqual([`POST /v1/leases/${leaseId}/rotation`]);
    const rotation = broker.seen.find(({ method, path }) => method === "POST" && path.endsWith("/rotation"));
    expect(JSON.parse(rotation?.body ?? "")).toEqual({ overlapSeconds: 0, reason: "leak" });
    expect(broker.seen.at(-1)).toMatchObject({ method: "GET", path: `/v1/leases/${leaseId}/rotation` });
    expect(out.replace(/\s+/g, " ")).toContain("Apps must fetch the env again");
    expect(broker.provider.ended.has(secret)).toBe(true);
  });

  const endings: readonly (readonly [string, () => unknown])[] = [
    ["requires_action", () => broker.provider.troubles.set("rotate", "forbidden")],
    ["proving", () => broker.provider.troubles.set("check", "unavailable")],
    [
      // No rotation of this broker ends so: it is asked about again and again. A client must know the state all the same.
      "failed",
      () => {
        const view: RotationView = {
          ...{ lease: leaseId, build: buildId, connector: "memory-keys", job: "job_1", state: "failed" },
          ...{ startedAt: new Date(broker.now()).toISOString(), provenDead: false, next: "" },
        };
        const through = () => false;
        broker.faults.push(through, through, answering(200, view, brokerHeaders));
      },
    ],
  ];

  test.each(endings)(
    "exits with 1 when the re-issue is %s: it is not known to be dead",
    async (_state, reach) => {
      reach();
      let clock = 0;
      const now = () => (clock += 10_000);
      const { code, out } = await keyloan("leak report --end --yes -", { stdin: secret, now });
      expect([code, out]).toEqual([1, expect.stringContaining("not ended")]);
    },
  );

  test("revokes a token of Keyloan", async () => {
    const token = await broker.createApiToken();
    expect((await keyloan("leak report --end --yes -", { stdin: token })).code).toBe(0);
    expect(changes()).toEqual([expect.stringMatching(/^DELETE \/v1\/tokens\/tok_\w{20}$/)]);
    expect((await broker.call("GET", "/v1/builds", { token })).status).toBe(401);
  });

  test("says what a person must do when a key is shared or the org's, and exits with 1", async () => {
    const { id } = await broker.createBuild({ connectors: ["memory-shared"] });
    const { MEMORY_SHARED_TOKEN: stdin = "" } = await broker.readEnv(id);
    const shared = await keyloan("leak report --end --yes -", { stdin });
    expect([shared.code, shared.out]).toEqual([1, expect.stringContaining("Rotate the org key")]);
    const { platformToken } = broker.provider.orgKey;
    const own = await keyloan("leak report --end --yes -", { stdin: platformToken });
    expect([own.code, own.out]).toEqual([1, expect.stringContaining("keyloan org-keys set memory-keys")]);
  });

  test("asks before it ends anything, and changes nothing without a yes", async () => {
    const blind = await keyloan("leak report --end -", { stdin: secret });
    expect(blind.code).toBe(2);
    const declined = await keyloan(`leak report --end ${secret}`, { stdin: "no\n", terminal: true });
    expect([declined.code, declined.err]).toEqual([
      1,
      expect.stringContaining("This will end every credential"),
    ]);
    expect(changes()).toEqual([]);
    const agreed = await keyloan(`leak report --end ${secret}`, { stdin: "yes\n", terminal: true });
    expect([agreed.code, changes()]).toEqual([0, [`POST /v1/leases/${leaseId}/rotation`]]);
  });

  test("gives JSON without the value", async () => {
    const { out } = await keyloan("leak report --json --end --yes -", { stdin: secret });
    expect(JSON.parse(out)).toMatchObject({ matches: [{ buildId }], endings: [{ ended: true }] });
    expect(out).not.toContain(secret);
  });
});

describe("scan", () => {
  const put = (name: string, text: string) => {
    mkdirSync(join(folder, "static"), { recursive: true });
    writeFileSync(join(folder, "static", name), text);
  };

  test("names file, place, variable and build of a value in a bundle and its map, never the value", async () => {
    put("app.js", `(()=>{let k="${secret}"})()`);
    put("app.js.map", JSON.stringify({ sourcesContent: [`const k = "${secret}";`] }));
    const { code, out, err } = await keyloan(`scan ${folder}`);
    expect({ code, err }).toEqual({ code: 1, err: "" });
    expect(out).toMatch(
      /^static\/app\.js:1:14: MEMORY_KEYS_TOKEN of memory-keys bld_\w+, may still work, VISIBLE TO EVERYONE/m,
    );
    expect(out).toMatch(/^static\/app\.js\.map:1:\d+: MEMORY_KEYS_TOKEN/m);
    expect(out).toContain("mk_t… (56 characters)");
    expect(out).not.toContain(secret);
    const json = await keyloan(`scan ${folder} --json`);
    expect(JSON.parse(json.out)).toMatchObject({
      files: 2,
      findings: [{ visible: true, match: { what: "lease" } }, {}],
    });
    expect(json.out).not.toContain(secret);
  });

  test("exits with 0 when nothing is ours", async () => {
    put("app.js", `var k="${randomBytes(24).toString("hex")}"`);
    const { code, out } = await keyloan(`scan ${folder}`);
    expect([code, out]).toEqual([0, "1 file: no Keyloan values.\n"]);
  });

  test.each([
    ["a folder that is not there", () => "scan /nowhere/at/all", {}],
    ["a broker that is not there", () => `scan ${folder}`, { KEYLOAN_URL: "http://127.0.0.1:9" }],
    ["a token that may not ask", () => `scan ${folder}`, { KEYLOAN_TOKEN: "" }],
    ["a file too large to be looked into", () => `scan ${folder} --max-file-mb 1`, {}],
  ])("exits with 2 for %s: it is not proven clean", async (_what, line, env) => {
    put("app.js", `var k="${randomBytes(24).toString("hex")}";${"x ".repeat(1024 * 1024)}`);
    const KEYLOAN_TOKEN = await broker.createBuildToken(buildId);
    const asked = { ...env, ...("KEYLOAN_TOKEN" in env ? { KEYLOAN_TOKEN } : {}) };
    expect((await keyloan(line(), { env: asked })).code).toBe(2);
  });
});
