import { execFileSync } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BuildView, OrgKeyList, OrgKeyView } from "@keyloan/contract";
import {
  answering,
  brokerHeaders,
  savedBuild,
  startWatchedKeyloan,
  switchAll,
  type WatchedKeyloan,
} from "@keyloan/test-kit";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { rootKeyId } from "./commands/root-key-create.ts";
import { commandTable } from "./shell/command-table.ts";
import type { Io } from "./shell/io.ts";
import { momentText } from "./shell/moments.ts";
import { showOrgKey } from "./shell/show-org-key.ts";
import { cellsOf } from "./shell/terminal-text.ts";
import { type RunOptions, runKeyloan } from "./testing/run-keyloan.ts";

let broker: WatchedKeyloan;
let folder: string;
let buildId: string;
/** What the build was lent. */
let lent: Record<string, string>;
beforeAll(async () => {
  broker = await startWatchedKeyloan();
  folder = mkdtempSync(join(tmpdir(), "keyloan-cli-"));
  buildId = (await broker.createBuild({ connectors: ["memory-files", "app-secrets"] })).id;
  lent = await broker.readEnv(buildId);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await broker.close();
});
beforeEach(() => {
  broker.seen.length = 0;
});

const keyloan = (line: string | readonly string[], options: RunOptions = {}) =>
  runKeyloan(typeof line === "string" ? line.split(" ") : line, {
    ...options,
    env: {
      KEYLOAN_URL: broker.url,
      KEYLOAN_TOKEN: broker.adminToken,
      PATH: process.env.PATH,
      ...options.env,
    },
  });

describe("help", () => {
  test.each(Object.keys(commandTable))(
    "`%s --help` has usage and examples within 80 columns",
    async (name) => {
      const { code, out, err } = await keyloan(`${name} --help`);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toContain(`Usage:\n  keyloan ${name}`);
      expect(out).toMatch(/Examples:\n {2}.*keyloan /);
      expect(out.split("\n").filter((line) => cellsOf(line) > 80 && !line.includes("keyloan "))).toEqual([]);
    },
  );

  test.each(["--help", "-h", "help", ""])("`keyloan %s` lists every command", async (line) => {
    const { code, out } = await keyloan(line === "" ? [] : line);
    expect(code).toBe(0);
    expect(Object.keys(commandTable).filter((name) => !out.includes(`  ${name} `))).toEqual([]);
  });

  test("a group shows its commands, a misspelt one what was meant", async () => {
    expect((await keyloan("org-keys --help")).out).toContain("org-keys set");
    expect(await keyloan("org-keys")).toMatchObject({ code: 2, out: "" });
    expect((await keyloan("org-keys")).err).toContain("list, set, rotate, retire, remove");
    expect((await keyloan("org-key list")).err).toContain("Did you mean: keyloan org-keys list?");
    expect((await keyloan("docter")).err).toContain("Did you mean: keyloan doctor?");
  });
});

describe("wrong usage is exit code 2, names what is wrong, and sends nothing", () => {
  test.each([
    ["build list --limt 3", "Did you mean --limit?"],
    ["build list --limit 0", "whole number from 1 to 200"],
    ["build list --limit", "--limit needs a value"],
    ["build list --limit --all", "--limit needs a value"],
    ["build list extra", 'Unexpected argument "extra"'],
    ["build list --all=yes", "--all takes no value"],
    ["build list -- x", "takes no arguments after --"],
    ["build show", "The build id is missing"],
    ["build show ../../v1/tokens", "not a build id"],
    ["build create", "needs a --name"],
    ["build create --name a --name b", "--name is given twice"],
    ["build create --name a --ttl soon", "90s, 15m, 24h"],
    ["build create --name a --profile nxt", "plain, next, vite, expo"],
    [
      "env pull --build bld_3k9v0a5m2c7d8e4f6g1h --format yaml",
      "json, dotenv, shell, docker, github, kubernetes, systemd",
    ],
    ["env pull --build bld_3k9v0a5m2c7d8e4f6g1h --force", "--force together with --output"],
    ["token create --name x", "needs a --scope"],
    ["token create --name x --scope all", "--scope is one of"],
    ["token revoke", "The token id is missing"],
    ["--json", "without a command"],
    ["nothing-like-it", 'There is no command "nothing-like-it"'],
  ])("%s", async (line, message) => {
    const plain = await keyloan(line);
    expect(plain).toMatchObject({ code: 2, out: "" });
    if (!line.includes("--json")) expect(plain.err).toContain(message);
    const json = await keyloan([
      ...(line.split(" -- ")[0] ?? "").split(" "),
      "--json",
      ...(line.includes(" -- ") ? ["--", "x"] : []),
    ]);
    expect(JSON.parse(json.err)).toMatchObject({ error: { code: "usage", message: expect.any(String) } });
    expect(broker.seen).toHaveLength(0);
  });
});

describe("builds", () => {
  test("create sends what was asked and shows the build", async () => {
    const { code, out } = await keyloan(
      "build create --name todo --connector memory-files --connector memory-keys --ttl 1h30m --profile next --idempotency-key k1",
    );
    expect(code).toBe(0);
    expect(JSON.parse(broker.seen[0]?.body ?? "")).toEqual({
      name: "todo",
      connectors: ["memory-files", "memory-keys"],
      ttlSeconds: 5400,
      profile: "next",
    });
    expect(broker.seen[0]?.headers["idempotency-key"]).toBe("k1");
    expect(broker.seen[0]?.query.get("wait")).toBe("25");
    expect(out).toMatch(/State +ready/);
  });

  test("create takes options of connectors from a file, and no others", async () => {
    const file = join(folder, "options.json");
    writeFileSync(file, '{"stripe":{"prices":[1]}}');
    await keyloan(`build create --name a --connector stripe --connector r2 --option-file ${file}`);
    expect(JSON.parse(broker.seen[0]?.body ?? "").connectors).toEqual([
      { id: "stripe", options: { prices: [1] } },
      "r2",
    ]);
    const { code, err } = await keyloan(`build create --name a --connector r2 --option-file ${file}`);
    expect(code).toBe(2);
    expect(err).toContain("Add --connector stripe.");
  });

  test("create that is not ready in time shows why, and is exit code 1", async () => {
    broker.provider.troubles.set("issue", "forbidden");
    let clock = 0;
    const now = () => (clock += 10_000);
    const { code, out, err } = await keyloan("build create --name x --connector memory-keys", { now });
    broker.provider.troubles.clear();
    expect(code).toBe(1);
    expect(out.replace(/\s+/g, " ")).toMatch(
      /memory-keys: memory-keys refuses to issue \(status 403\) .*The org key lacks a permission/,
    );
    expect(err).toContain("still missing: memory-keys");
  });

  test("list, show, renew, token and close work, and speak JSON", async () => {
    const show = async (id: string) => (await broker.call("GET", `/v1/builds/${id}`)).body as BuildView;
    expect((await keyloan("build list --state ready --all")).out).toContain(buildId);
    expect(JSON.parse((await keyloan("build list --limit 1 --json")).out)).toMatchObject({ builds: [{}] });
    expect(JSON.parse((await keyloan(`build show ${buildId} --json`)).out)).toEqual(await show(buildId));
    const before = (await show(buildId)).expiresAt;
    const renewed = await keyloan(`build renew --build ${buildId} --ttl 7d`);
    const { expiresAt } = await show(buildId);
    expect(expiresAt > before).toBe(true);
    expect(renewed.out).toContain(`${momentText(expiresAt)} (in `);
    const token = await keyloan(`build token ${buildId} --ttl 10m --single-use`);
    expect(token.out).toMatch(/^klo_bld_\S+\n$/);
    expect(JSON.parse(broker.seen.at(-1)?.body ?? "")).toEqual({ ttlSeconds: 600, singleUse: true });
    expect(await broker.readEnv(buildId, token.out.trim())).toEqual(lent);
    const link = await keyloan(`build link ${buildId} --ttl 7d --user user_1`);
    expect(link.out).toMatch(/^http\S+#code=klo_hnd_\S+\n$/);
    expect(JSON.parse(broker.seen.at(-1)?.body ?? "")).toEqual({ ttlSeconds: 604_800, userRef: "user_1" });
    expect(link.err).not.toContain("handoff is finished");
    const made = JSON.parse((await keyloan("build create --name gone --json")).out);
    expect(JSON.parse((await keyloan(`build close ${made.id} --json`)).out).state).toBe("closed");
  });

  test("a link after the handoff is finished says that it lets in nobody but the person", async () => {
    const { id, page } = await savedBuild(broker);
    await switchAll(page);
    expect((await page.change("POST", "/v1/settings/finish")).status).toBe(200);
    const { code, out, err } = await keyloan(`build link ${id}`);
    expect([code, out]).toEqual([0, expect.stringMatching(/^http\S+#code=klo_hnd_\S+\n$/)]);
    expect(err.replace(/\s+/g, " ")).toContain("lets in only the person who saved the keys");
  });
});

describe("env pull", () => {
  test("prints the text as it came, and JSON with --json", async () => {
    const dotenv = await keyloan(`env pull --build ${buildId} --copies other`);
    const path = `/v1/builds/${buildId}/env?format=dotenv`;
    expect(dotenv.out).toBe((await broker.call("GET", `${path}&copies=other`)).text);
    for (const [name, value] of Object.entries(lent)) expect(dotenv.out).toContain(`${name}=${value}\n`);
    expect(broker.seen[0]?.query.get("copies")).toBe("other");
    expect(JSON.parse((await keyloan(`env pull --build ${buildId} --json`)).out)).toEqual(lent);
  });

  test("writes a file that others cannot read, and leaves nothing else behind", async () => {
    const work = mkdtempSync(join(folder, "pull-"));
    const file = join(work, ".env");
    expect(await keyloan(["env", "pull", "--build", buildId, "--output", file])).toMatchObject({
      code: 0,
      out: "",
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).toContain(`MEMORY_FILES_NAME=${lent.MEMORY_FILES_NAME}\n`);
    expect(readdirSync(work)).toEqual([".env"]);
  });

  test("keeps a file that is there, unless told to replace it", async () => {
    const work = mkdtempSync(join(folder, "keep-"));
    const file = join(work, ".env");
    writeFileSync(file, "MINE=1\n", { mode: 0o644 });
    const pull = ["env", "pull", "--build", buildId, "--output", file];
    const refused = await keyloan(pull);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("--force");
    expect(readFileSync(file, "utf8")).toBe("MINE=1\n");
    expect((await keyloan([...pull, "--force"])).code).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(work)).toEqual([".env"]);
  });

  test("does not write through a symbolic link", async () => {
    const work = mkdtempSync(join(folder, "link-"));
    const target = join(work, "target");
    writeFileSync(target, "kept");
    symlinkSync(target, join(work, ".env"));
    const pull = ["env", "pull", "--build", buildId, "--output", join(work, ".env")];
    expect((await keyloan(pull)).code).toBe(1);
    expect((await keyloan([...pull, "--force"])).code).toBe(0);
    expect(readFileSync(target, "utf8")).toBe("kept");
  });

  test.each([
    ["", true],
    [".env\n", false],
  ])("in a git work tree with .gitignore %j it warns: %s", async (ignored, warns) => {
    const work = mkdtempSync(join(folder, "git-"));
    execFileSync("git", ["init", "--quiet", work]);
    writeFileSync(join(work, ".gitignore"), ignored);
    const { err } = await keyloan(["env", "pull", "--build", buildId, "--output", join(work, ".env")]);
    expect(err.includes("not git-ignored")).toBe(warns);
  });
});

describe("org keys", () => {
  const fields = { organization: "acme", platformToken: "canary-platform-token" };
  const remove = () => broker.call("DELETE", "/v1/org-keys/memory-keys");
  const active = async () =>
    ((await broker.call("GET", "/v1/org-keys")).body as OrgKeyList).orgKeys.find(
      ({ state }) => state === "active",
    );
  beforeEach(remove);
  afterAll(() => broker.call("PUT", "/v1/org-keys/memory-keys", { body: { fields } }));

  test.each([
    ["stdin", "org-keys set memory-keys -", JSON.stringify(fields)],
    ["a file", "org-keys set memory-keys --from-json FILE", ""],
    [
      "options",
      "org-keys set memory-keys --field organization=acme --field platformToken=canary-platform-token",
      "",
    ],
  ])("are set from %s", async (_name, line, stdin) => {
    const file = join(folder, "fields.json");
    writeFileSync(file, JSON.stringify(fields));
    const { code, out, err } = await keyloan(line.replace("FILE", file), { stdin });
    expect(code).toBe(0);
    expect(JSON.parse(broker.seen.at(-1)?.body ?? "")).toEqual({ fields });
    expect(out).toContain(`memory-keys: version ${(await active())?.version} is active, account acme`);
    expect(out + err).not.toContain("canary");
    expect(err.includes("shell's history")).toBe(line.includes("--field"));
  });

  test("are set without what was copied along, which is reported", async () => {
    const copied = { organization: " acme\n", platformToken: `"${fields.platformToken}"` };
    const { code, err } = await keyloan("org-keys set memory-keys -", { stdin: JSON.stringify(copied) });
    expect(code).toBe(0);
    expect(JSON.parse(broker.seen.at(-1)?.body ?? "")).toEqual({ fields });
    expect(err).toMatch(/organization: Spaces .* removed[\s\S]*platformToken: Quotes .* removed/);
    expect(err).not.toContain("canary");
  });

  test.each([
    ["a missing field", "memory-keys -", '{"organization":"a"}', "missing: platformToken"],
    ["an unknown field", "memory-keys -", '{"organisation":"a"}', "Did you mean organization?"],
    ["a field that is no text", "memory-keys -", '{"organization":1}', "not text"],
    ["what is no JSON", "memory-keys -", "canary-bare-secret", "not a JSON object"],
    ["a bare secret as --field", "memory-keys --field canary-bare-secret", "", "name and a value"],
    ["a connector without fields", "app-secrets -", "{}", "needs no org key"],
    ["nothing, off a terminal", "memory-keys", "", "missing: organization, platformToken"],
  ])("%s is wrong usage, and repeated nowhere", async (_name, rest, stdin, message) => {
    const { code, out, err } = await keyloan(`org-keys set ${rest}`, { stdin });
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
    expect(err).not.toContain("canary");
    expect(await active()).toBeUndefined();
  });

  test("an unknown connector names the near one", async () => {
    expect((await keyloan("org-keys set memory-kys -", { stdin: "{}" })).err).toContain(
      "Did you mean memory-keys?",
    );
  });

  test("on a terminal each field is asked for, and a secret is not shown", async () => {
    const { code, out, err } = await keyloan("org-keys set memory-keys", {
      terminal: true,
      stdin: "acme\ncanary-platform-token\n\n",
    });
    expect(code).toBe(0);
    expect(JSON.parse(broker.seen.at(-1)?.body ?? "")).toEqual({ fields });
    expect(err).toContain("Platform API token (not shown): ");
    expect(out + err).not.toContain("canary");
  });

  test("are listed and removed", async () => {
    await keyloan("org-keys set memory-keys -", { stdin: JSON.stringify(fields) });
    expect((await keyloan("org-keys list")).out).toMatch(/memory-keys +\d+ +active +valid/);
    expect((await keyloan("org-keys remove memory-keys")).code).toBe(0);
    expect((await keyloan("org-keys list --json")).out).not.toContain('"active"');
    expect((await keyloan("org-keys remove memory-files")).code).toBe(1);
  });
});

test("tokens, catalog, audit and root-key rotate show what the broker says", async () => {
  const made = await keyloan("token create --name app-builder --scope builds:read,builds:write --ttl 90d");
  expect(made.out).toMatch(/^klo_api_\S+\n$/);
  expect((await broker.call("GET", "/v1/builds", { token: made.out.trim() })).status).toBe(200);
  const [, id = ""] = /(tok_\w{20})/.exec(made.err) ?? [];
  expect((await keyloan("token list")).out).toMatch(new RegExp(`${id} .*app-builder`));
  expect((await keyloan(`token revoke ${id} --json`)).out).toContain('"revoked": true');
  expect((await keyloan(`token revoke ${id} --leaked`)).err).toContain("links that it made have ended");
  expect((await keyloan("catalog")).out).toMatch(/memory-keys +mail +B +needed/);
  expect((await keyloan("catalog memory-keys")).out).toContain("platformToken (secret)");
  expect((await keyloan("catalog nope")).code).toBe(1);
  const read = await broker.call("GET", "/v1/audit?action=env.read&limit=1");
  const [{ at }] = (read.body as { events: [{ at: string }] }).events;
  expect((await keyloan("audit --action env.read")).out).toContain(`${momentText(at)}  env.read`);
  expect((await keyloan("root-key rotate")).out).toMatch(/\d+ of [1-9]\d* data keys/);
});

test("a root key is a fresh line in the vault's format, with the vault's id for it", async () => {
  // The key and the id of the vault's committed test vector.
  expect(rootKeyId(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe("rk-cb21271e057598bd");
  const [first, second] = [
    await runKeyloan(["root-key", "create"]),
    await runKeyloan(["root-key", "create"]),
  ];
  const [, id, key = ""] = /^(rk-[0-9a-f]{16}):([A-Za-z0-9_-]{43})\n$/.exec(first.out) ?? [];
  expect(rootKeyId(Buffer.from(key, "base64url"))).toBe(id);
  expect(second.out).not.toBe(first.out);
});

describe("output", () => {
  test("an error is a sentence, a remedy and the request id; JSON with --json", async () => {
    const env = { KEYLOAN_TOKEN: await broker.createApiToken() };
    const { code, err } = await keyloan("token list", { env });
    expect(code).toBe(1);
    expect(err).toMatch(
      /^keyloan: this token does not have permission to do that\n {2}\S.+\.\n(?: {2}\S.*\n)* {2}Request id: req_\w{20}\n$/,
    );
    const json = JSON.parse((await keyloan("token list --json", { env })).err);
    expect(json.error).toMatchObject({
      code: "forbidden",
      status: 403,
      remedy: expect.stringMatching(/\.$/),
    });
  });

  const evil = "a\u001b[2Jb\u009b31mc\rd\u202ee";

  test("text from the broker cannot act on the terminal", async () => {
    const build = (await broker.call("GET", `/v1/builds/${buildId}`)).body as BuildView;
    const page = answering(200, { builds: [{ ...build, name: evil }] }, brokerHeaders);
    broker.faults.push(page, page);
    const controls = /[\p{Cc}\u202e]/u;
    const inOneLine = (text: string) => text.replaceAll("\n", "");
    expect(inOneLine((await keyloan("build list")).out)).not.toMatch(controls);
    const json = (await keyloan("build list --json")).out;
    expect(inOneLine(json)).not.toMatch(controls);
    expect(JSON.parse(json).builds[0].name).toBe(evil);
  });

  const job = { id: evil, kind: evil, state: evil, build: evil, connector: evil, createdAt: evil };
  const action = { dueAt: evil, steps: [{ text: evil, url: evil }] };
  const key = { connector: evil, version: evil, state: evil, account: evil, mode: evil, checkStatus: evil };
  const more = { checkMessage: evil, provenDeadAt: evil, warnings: [evil], flags: [], todo: evil };
  const capabilities = [{ name: evil, state: evil, remedy: evil }];
  const head = { signed: evil, sequence: evil };
  const givenUp = [{ after: evil, before: evil, at: evil }];
  const rotation = { lease: evil, connector: evil, state: evil, next: evil, overlapUntil: evil };
  const ids = "3k9v0a5m2c7d8e4f6g1h";

  test.each<[string, unknown]>([
    [`lease rotation lse_${ids}`, { ...rotation, cutAt: evil, provenDeadAt: evil }],
    [`jobs cancel job_${ids}`, { job, lacks: { connector: evil, variables: [evil] }, verified: false }],
    [`jobs show job_${ids}`, { ...job, requiredAction: action, attempts: evil, nextRunAt: evil }],
    ["org-keys retire memory-keys", { orgKeys: [{ ...key, ...more, capabilities }] }],
    ["org-keys list", { orgKeys: [{ ...key, ...more, capabilities, leasesInUse: evil, ageDays: evil }] }],
    ["audit head", head],
    ["audit accept-head", { problem: { message: evil }, lostHeads: evil, removedKeys: [evil], head }],
    ...["anchored", "self_consistent", "broken"].map((verdict): [string, unknown] => [
      "audit verify",
      {
        verdict,
        rows: evil,
        heads: evil,
        givenUp,
        warnings: [evil],
        through: evil,
        lastSequence: evil,
        anchors: [{ by: "sink", sequence: evil }],
        problem: { sequence: 1, kind: evil, message: evil },
      },
    ]),
  ])("text in any field of an answer cannot act on the terminal: %s", async (line, body) => {
    broker.faults.push(answering(200, body, brokerHeaders));
    const { out, err } = await keyloan(line);
    expect((out + err).replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(out).toContain("a\ufffd[2Jb\ufffd31mc d\ufffde");
  });

  test("the state of an org key cannot act on the terminal", () => {
    const written: string[] = [];
    const io = { env: {}, stdoutIsTerminal: () => false, out: (text: string) => void written.push(text) };
    showOrgKey(io as unknown as Io, { ...key, ...more, capabilities, warnings: [] } as unknown as OrgKeyView);
    expect(written.join("").replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  test.each([
    [{ terminal: true }, true],
    [{ terminal: true, env: { NO_COLOR: "1" } }, false],
    [{ terminal: true, env: { TERM: "dumb" } }, false],
    [{ terminal: false }, false],
  ])("colours with %j: %s", async (options, coloured) => {
    expect((await keyloan("build list", options)).out.includes("\u001b[")).toBe(coloured);
  });

  describe("within 80 columns", () => {
    const name = "A very long name that goes on and on until the line is full and then some more 漢字漢字";
    let longId: string;
    beforeAll(async () => {
      longId = (await broker.createBuild({ name })).id;
      await broker.createApiToken();
    });

    test.each(["build list", "token list", "org-keys list", "catalog", "audit", "build show"])(
      "`%s` fits",
      async (command) => {
        const line = command === "build show" ? `build show ${longId}` : command;
        const { code, out } = await keyloan(line, { terminal: true, env: { NO_COLOR: "1" } });
        expect([code, out.split("\n").length > 2]).toEqual([0, true]);
        const tooWide = out.split("\n").filter((each) => cellsOf(each) > 80);
        expect(
          command === "build show" ? tooWide.filter((each) => !each.startsWith("Name")) : tooWide,
        ).toEqual([]);
      },
    );
  });
});

describe("doctor", () => {
  const states = (out: string) =>
    Object.fromEntries(
      (JSON.parse(out).checks as { name: string; state: string }[]).map(({ name, state }) => [name, state]),
    );

  test("finds all well with an admin token and a valid org key", async () => {
    const { code, out } = await keyloan("doctor --json");
    expect(code).toBe(0);
    expect(states(out)).toMatchObject({
      Broker: "ok",
      Clock: "ok",
      "Part store": "ok",
      Token: "ok",
      "Org key memory-keys": "ok",
    });
  });

  test.each([
    ["an address that is none", { KEYLOAN_URL: "nonsense" }, "Address"],
    ["an address where nobody is", { KEYLOAN_URL: "http://127.0.0.1:1" }, "Broker"],
    ["a token that is not known", { KEYLOAN_TOKEN: "klo_admin_wrong" }, "Token"],
    ["no token", { KEYLOAN_TOKEN: "" }, "Token"],
    [
      "a token file that is not there",
      { KEYLOAN_TOKEN: "", KEYLOAN_TOKEN_FILE: "/no/such/file" },
      "Token file",
    ],
  ])("with %s it says so, gives a remedy and is exit code 1", async (_name, env, check) => {
    const { code, out } = await keyloan("doctor --json", { env });
    expect(code).toBe(1);
    expect(states(out)[check]).toBe("failed");
    const failures = (JSON.parse(out).checks as { state: string; remedy?: string }[]).filter(
      (each) => each.state === "failed",
    );
    expect(failures.filter((each) => !each.remedy)).toEqual([]);
  });

  test("a build token is valid, and that is all it can tell", async () => {
    const env = { KEYLOAN_TOKEN: await broker.createBuildToken(buildId) };
    const { code, out } = await keyloan("doctor --json", { env });
    expect(code).toBe(0);
    expect(states(out)).toMatchObject({ Token: "ok", "Org keys": "skipped" });
  });

  test.each([
    [0, "ok"],
    [5 * 60_000, "warning"],
    [-20 * 60_000, "failed"],
  ])("a clock that is %i ms off is %s", async (offset, state) => {
    const { out } = await keyloan("doctor --json", { now: () => Date.now() + offset });
    expect(states(out).Clock).toBe(state);
  });

  test("a failing part of the broker is a failed check", async () => {
    const { store } = broker.running().deps;
    const row = (await store.read.dataKeys.listOtherThan("none", "", 1))[0] ?? expect.fail();
    const lost = { ...row, kid: "rk-lost" };
    await store.write([], (tables) => tables.dataKeys.rewrap(lost, row));
    // So long an answer is kept.
    broker.advance(1_000);
    const { code, out } = await keyloan("doctor");
    await store.write([], (tables) => tables.dataKeys.rewrap(row, lost));
    broker.advance(1_000);
    expect(code).toBe(1);
    expect(out).toContain("failed   Part keyring: a root key that wraps data keys is missing");
  });

  test("an org key that the provider refuses is a failed check", async () => {
    const fields = { organization: "acme", platformToken: "canary-ended-token" };
    await broker.call("PUT", "/v1/org-keys/memory-keys", { body: { fields } });
    broker.provider.ended.add(fields.platformToken);
    await broker.runWork("org-key-check");
    const { code, out } = await keyloan("doctor");
    expect(code).toBe(1);
    expect(out).toContain("keyloan org-keys set memory-keys");
    const other = { ...fields, platformToken: "canary-living-token" };
    expect((await broker.call("PUT", "/v1/org-keys/memory-keys", { body: { fields: other } })).status).toBe(
      200,
    );
  });

  test("a check that breaks down is a failed check", async () => {
    broker.faults.push(answering(200, { status: {} }));
    expect(states((await keyloan("doctor --json")).out).Broker).toBe("failed");
  });

  test("what the operator should fix is a warning with a remedy, and a failure in production", async () => {
    const { out: quiet } = await keyloan("doctor --json");
    expect(states(quiet).Configuration).toBe("ok");
    await broker.restart({ host: "0.0.0.0" });
    const { out, code } = await keyloan("doctor");
    const production = await keyloan("doctor --production");
    expect(out).toContain("warning  Configuration: The broker listens beyond this machine");
    expect(out).toContain("Put a proxy that terminates TLS in front");
    expect([code, out]).toEqual([0, expect.stringMatching(/No problem, and \d+ warnings?\.\n$/)]);
    expect([production.code, production.out]).toEqual([
      1,
      expect.stringContaining("failed   Configuration: The broker listens beyond this machine"),
    ]);
  });
});
