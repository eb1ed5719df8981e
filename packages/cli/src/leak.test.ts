import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AuditMatch } from "@keyloan/contract";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type FakeBroker, startFakeBroker } from "./testing/fake-broker.ts";
import { type RunOptions, runKeyloan } from "./testing/run-keyloan.ts";
import { adminToken, buildToken, sampleBuildId } from "./testing/samples.ts";

let broker: FakeBroker;
let folder: string;
let secret: string;
beforeAll(async () => {
  broker = await startFakeBroker();
});
afterAll(() => broker.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keyloan-leak-"));
  secret = `rk_test_${randomBytes(24).toString("hex")}`;
  broker.seen.length = 0;
  broker.state.audit.issued.clear();
  broker.state.audit.issued.set(secret, lease);
  broker.state.audit.shared.clear();
  broker.state.audit.rotation = "done";
  broker.state.audit.problem = undefined;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const keyloan = (line: string, options: RunOptions = {}) =>
  runKeyloan(line.split(" "), {
    ...options,
    env: { KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: adminToken, ...options.env },
  });
const lease: AuditMatch = {
  index: 0,
  what: "lease",
  variable: "STRIPE_SECRET_KEY",
  leaseId: "lse_3k9v0a5m2c7d8e4f6g1h",
  buildId: sampleBuildId,
  buildName: "todo-app",
  connector: "stripe",
  grade: "B",
  state: "active",
  alive: true,
  issuedAt: "2026-11-20T12:00:00.000Z",
  readers: {
    count: 3,
    latest: [{ at: "2026-11-20T12:01:00.000Z", actor: "workload:tok_1", action: "env.read" }],
  },
};
const token: AuditMatch = {
  index: 0,
  what: "token",
  kind: "api",
  tokenId: "tok_3k9v0a5m2c7d8e4f6g1h",
  alive: true,
};
const orgKey: AuditMatch = {
  index: 0,
  what: "org_key",
  variable: "secretKey",
  orgKeyId: "key_3k9v0a5m2c7d8e4f6g1h",
  connector: "clerk",
  version: 2,
  state: "active",
  putAt: "2026-11-20T12:00:00.000Z",
  alive: true,
  builds: { count: 1, ids: [sampleBuildId] },
};
const changes = () =>
  broker.seen
    .filter(({ path }) => !path.startsWith("/v1/audit"))
    .map(({ method, path }) => `${method} ${path}`);

describe("leak report", () => {
  test("tells the build, who fetched the value and when, and exits with 1 while it may still work", async () => {
    const { code, out, err } = await keyloan("leak report -", { stdin: `${secret}\n` });
    expect({ code, err }).toEqual({ code: 1, err: "" });
    for (const text of [
      "STRIPE_SECRET_KEY of stripe: may still work",
      `${sampleBuildId} (todo-app)`,
      "3 times",
      "workload:tok_1",
      "2026-11-20 12:01:00Z",
    ])
      expect(out).toContain(text);
    expect(out).not.toContain(secret);
    expect(changes()).toEqual([]);
  });

  test("exits with 0 for what is not ours and for what is dead", async () => {
    const unknown = await keyloan("leak report -", { stdin: "something else" });
    expect([unknown.code, unknown.out]).toEqual([0, expect.stringContaining("never lent")]);
    broker.state.audit.issued.set(secret, { ...lease, alive: false, state: "released" });
    expect((await keyloan("leak report -", { stdin: secret })).code).toBe(0);
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
    const path = `/v1/leases/${lease.leaseId}`;
    expect(changes()).toEqual([`POST ${path}/reissue`, `GET ${path}/rotation`]);
    expect(JSON.parse(broker.seen.at(-2)?.body ?? "")).toEqual({ overlapSeconds: 0, reason: "leak" });
    expect(out).toContain("Read the env again.");
  });

  test.each(["requires_action", "failed", "proving"] as const)(
    "exits with 1 when the re-issue is %s: it is not known to be dead",
    async (state) => {
      broker.state.audit.rotation = state;
      let clock = 0;
      const now = () => (clock += 10_000);
      const { code, out } = await keyloan("leak report --end --yes -", { stdin: secret, now });
      expect([code, out]).toEqual([1, expect.stringContaining("not ended")]);
    },
  );

  test("revokes a token of Keyloan", async () => {
    broker.state.audit.issued.set(secret, token);
    expect((await keyloan("leak report --end --yes -", { stdin: secret })).code).toBe(0);
    expect(changes()).toEqual([`DELETE /v1/tokens/${token.tokenId}`]);
  });

  test("says what a person must do when a key is shared or the org's, and exits with 1", async () => {
    broker.state.audit.shared.add(lease.leaseId);
    const shared = await keyloan("leak report --end --yes -", { stdin: secret });
    expect([shared.code, shared.out]).toEqual([1, expect.stringContaining("Rotate the org key.")]);
    broker.state.audit.issued.set(secret, orgKey);
    const own = await keyloan("leak report --end --yes -", { stdin: secret });
    expect([own.code, own.out]).toEqual([1, expect.stringContaining("keyloan org-keys set clerk")]);
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
    expect([agreed.code, changes().length]).toEqual([0, 2]);
  });

  test("gives JSON without the value", async () => {
    const { out } = await keyloan("leak report --json --end --yes -", { stdin: secret });
    expect(JSON.parse(out)).toMatchObject({
      matches: [{ buildId: sampleBuildId }],
      endings: [{ ended: true }],
    });
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
      /^static\/app\.js:1:14: STRIPE_SECRET_KEY of stripe bld_\w+, may still work, VISIBLE TO EVERYONE/m,
    );
    expect(out).toMatch(/^static\/app\.js\.map:1:\d+: STRIPE_SECRET_KEY/m);
    expect(out).toContain("rk_t… (56 characters)");
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
    expect([code, out]).toEqual([0, "1 file: nothing of ours.\n"]);
  });

  test.each([
    ["a folder that is not there", () => "scan /nowhere/at/all", {}],
    ["a broker that is not there", () => `scan ${folder}`, { KEYLOAN_URL: "http://127.0.0.1:9" }],
    ["a token that may not ask", () => `scan ${folder}`, { KEYLOAN_TOKEN: buildToken }],
    ["a file too large to be looked into", () => `scan ${folder} --max-file-mb 1`, {}],
  ])("exits with 2 for %s: it is not proven clean", async (_what, line, env) => {
    put("app.js", `var k="${randomBytes(24).toString("hex")}";${"x ".repeat(1024 * 1024)}`);
    expect((await keyloan(line(), { env })).code).toBe(2);
  });
});

describe("audit", () => {
  const anchors = [{ by: "sink", sequence: 2, at: "2026-11-20T12:00:00.000Z" }] as const;

  test.each([
    ["a trail that stands only by itself", {}, "self-consistent, not anchored", 0, 1],
    ["an anchored trail", { anchors }, "anchored by the sink (row 2)", 0, 0],
    [
      "a forged signing key",
      { problem: { sequence: 0, kind: "signing_key", message: "not ours" } },
      "broken at the signing keys: signing_key, not ours",
      1,
      1,
    ],
    [
      "a changed trail, anchored or not",
      { anchors, problem: { sequence: 7, kind: "edited", message: "this row was changed" } },
      "broken at row 7: edited, this row was changed",
      1,
      1,
    ],
  ] as const)(
    "verify says what %s is, and the exit code too",
    async (_what, state, words, code, required) => {
      Object.assign(broker.state.audit, { problem: undefined, anchors: [] }, state);
      const told = await keyloan("audit verify");
      expect([told.code, told.out]).toEqual([code, expect.stringContaining(words)]);
      expect(told.out).not.toMatch(/\bok\b/);
      expect((await keyloan("audit verify --require-anchor")).code).toBe(required);
      const json = await keyloan("audit verify --json --require-anchor");
      expect([json.code, JSON.parse(json.out)]).toEqual([
        required,
        expect.not.objectContaining({ ok: true }),
      ]);
      const doctor = JSON.parse((await keyloan("doctor --production --json")).out);
      const check = doctor.checks.find(({ name }: { name: string }) => name === "Audit");
      expect([check.state === "ok", check.message]).toEqual([required === 0, expect.stringContaining(words)]);
      expect((await keyloan("doctor --json")).out).not.toContain(words);
    },
  );

  test("accept-head tells what was given up, and fails when there is nothing", async () => {
    broker.state.audit.problem = { sequence: 3, kind: "removed", message: "a row is gone" };
    const accepted = await keyloan("audit accept-head --head x.y.z");
    expect(JSON.parse(broker.seen.at(-1)?.body ?? "")).toEqual({ head: "x.y.z" });
    expect([accepted.code, accepted.out]).toEqual([
      0,
      expect.stringMatching(/a row is gone.*\n3 signed heads given up.*row 2.*\n.*sig_forged was removed/),
    ]);
    expect((await keyloan("audit accept-head")).code).toBe(1);
  });

  test("verify sends a head that was kept, as an option or from a file", async () => {
    const file = join(folder, "head.txt");
    const head = await keyloan("audit head");
    writeFileSync(file, head.out);
    await keyloan(`audit verify --head-file ${file}`);
    expect(JSON.parse(broker.seen.at(-1)?.body ?? "")).toEqual({ head: "aaaa.bbbb.cccc" });
    await keyloan("audit verify --head x.y.z");
    expect(JSON.parse(broker.seen.at(-1)?.body ?? "")).toEqual({ head: "x.y.z" });
    writeFileSync(file, '{"sequence":1,"signed":"a.b.c"}\n{"sequence":2,"signed":"d.e.f"}\n{"sequ');
    await keyloan(`audit verify --head-file ${file}`);
    expect(JSON.parse(broker.seen.at(-1)?.body ?? "")).toEqual({ head: "d.e.f" });
    writeFileSync(file, "no head");
    expect((await keyloan(`audit verify --head-file ${file}`)).code).toBe(1);
    expect((await keyloan(`audit verify --head a.b.c --head-file ${file}`)).code).toBe(2);
  });

  test("export gives the lines as they are, to stdout or into a new file of one's own", async () => {
    expect((await keyloan("audit export")).out).toBe('{"sequence":1}\n{"sequence":2}\n');
    expect((await keyloan("audit export --after 1")).out).toBe('{"sequence":2}\n');
    const file = join(folder, "audit.jsonl");
    const written = await keyloan(`audit export --out ${file}`);
    expect([written.code, written.err]).toEqual([0, `2 rows are in ${file}.\n`]);
    expect([readFileSync(file, "utf8"), statSync(file).mode & 0o777]).toEqual([
      '{"sequence":1}\n{"sequence":2}\n',
      0o600,
    ]);
    expect((await keyloan(`audit export --out ${file}`)).code).toBe(1);
    expect((await keyloan("audit export --after x")).code).toBe(2);
  });

  test("export that breaks off leaves no file behind and fails", async () => {
    broker.faults.push((_request, response) => {
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      response.write('{"sequence":1}\n', () => response.destroy());
      return true;
    });
    const file = join(folder, "audit.jsonl");
    expect((await keyloan(`audit export --out ${file}`)).code).toBe(1);
    expect([
      statSync(file, { throwIfNoEntry: false }),
      statSync(`${file}.part`, { throwIfNoEntry: false }),
    ]).toEqual([undefined, undefined]);
  });
});
