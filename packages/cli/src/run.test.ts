import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startWatchedKeyloan, type WatchedKeyloan } from "@keyloan/test-kit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BuiltCli, buildCli } from "./testing/built-cli.ts";

let built: BuiltCli;
let broker: WatchedKeyloan;
let buildId: string;
let buildToken: string;
/** What the build was lent. */
let lent: Record<string, string>;
let folder: string;
beforeAll(async () => {
  [built, broker] = await Promise.all([buildCli(), startWatchedKeyloan()]);
  buildId = (await broker.createBuild({ connectors: ["memory-keys", "app-secrets"] })).id;
  buildToken = await broker.createBuildToken(buildId);
  lent = await broker.readEnv(buildId);
  folder = mkdtempSync(join(tmpdir(), "keyloan-run-"));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([built.remove(), broker.close()]);
});

type Ended = {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
};

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const own = { KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: buildToken };
  return spawn(process.execPath, [built.bin, "run", ...args], {
    env: { PATH: process.env.PATH, ...own, ...env },
    cwd: folder,
  });
}

function ended(child: ChildProcess): Promise<Ended> {
  const written = { out: "", err: "" };
  child.stdout?.on("data", (chunk) => {
    written.out += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    written.err += chunk;
  });
  return new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, ...written })));
}

const run = (command: readonly string[], options: readonly string[] = [], env: NodeJS.ProcessEnv = {}) =>
  ended(start(["--build", buildId, ...options, "--", ...command], env));
const script = (code: string) => [process.execPath, "-e", code];
const printEnv = script("console.log(JSON.stringify(process.env))");

describe("the command's environment", () => {
  test("has every lent value, unchanged", async () => {
    const { out, code } = await run(printEnv);
    expect(code).toBe(0);
    expect(lent.MEMORY_KEYS_NOTE).toMatch(/\n.*'.*".*\$HOME #/);
    expect(JSON.parse(out)).toMatchObject(lent);
  });

  test("keeps what was there, and lent values win", async () => {
    const { out } = await run(printEnv, [], { HERE_BEFORE: "yes", JWT_SECRET: "local" });
    expect(JSON.parse(out)).toMatchObject({ HERE_BEFORE: "yes", JWT_SECRET: lent.JWT_SECRET });
  });

  test("has neither the token nor the broker's address", async () => {
    const { out } = await run(printEnv, [], { KEYLOAN_TOKEN_FILE: "" });
    expect(out).not.toContain(buildToken);
    expect(Object.keys(JSON.parse(out)).filter((name) => name.startsWith("KEYLOAN"))).toEqual([]);
  });

  test("has them when asked with --pass-token", async () => {
    const { out } = await run(printEnv, ["--pass-token"]);
    expect(JSON.parse(out)).toMatchObject({ KEYLOAN_TOKEN: buildToken, KEYLOAN_URL: broker.url });
  });
});

test("arguments reach the command untouched, also those that look like options", async () => {
  const { out } = await run([
    ...script("console.log(JSON.stringify(process.argv.slice(1)))"),
    "--",
    "--json",
    "a b",
    "*",
  ]);
  expect(JSON.parse(out)).toEqual(["--json", "a b", "*"]);
});

test("standard input reaches the command", async () => {
  const child = start(["--build", buildId, "--", "cat"]);
  child.stdin?.end("typed in");
  expect((await ended(child)).out).toBe("typed in");
});

test.skipIf(process.platform !== "linux")(
  "the command's streams block, as it has a right to expect",
  async () => {
    const flags = `const { readFileSync } = require("node:fs");
    const flagsOf = (fd) => Number.parseInt(/flags:\\s*(\\d+)/.exec(readFileSync("/proc/self/fdinfo/" + fd, "utf8"))[1], 8);
    setTimeout(() => require("node:fs").writeSync(1, JSON.stringify([0, 1, 2].map((fd) => flagsOf(fd) & 0o4000))), 50);`;
    expect((await run(script(flags))).out).toBe("[0,0,0]");
  },
);

test("profile and copies are asked for", async () => {
  await run(["true"], ["--profile", "next", "--copies", "other"]);
  expect(Object.fromEntries(broker.seen.at(-1)?.query ?? [])).toMatchObject({
    profile: "next",
    copies: "other",
  });
});

test("nothing is written to the home or temporary folder", async () => {
  const home = mkdtempSync(join(folder, "home-"));
  const { code, out } = await run(["find", home, "-mindepth", "1"], [], { HOME: home, TMPDIR: home });
  expect({ code, out }).toEqual({ code: 0, out: "" });
});

describe.concurrent("the end of the command is our end", () => {
  test.each([0, 1, 7, 255])("exit code %i", async (code) => {
    expect((await run(script(`process.exit(${code})`))).code).toBe(code);
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"])("death by %s", async (signal) => {
    expect(await run(script(`process.kill(process.pid, "${signal}")`))).toMatchObject({ code: null, signal });
  });

  test.each([
    ["SIGSEGV", 139],
    ["SIGABRT", 134],
    ["SIGUSR1", 138],
  ])("death by %s is told as exit code %i, without a second core dump", async (signal, code) => {
    const kill = ["sh", "-c", `ulimit -c 0; kill -${signal.slice(3)} $$`];
    expect(await run(kill)).toMatchObject({ code, signal: null });
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM"] as const)(
    "%s sent to us reaches the command, once",
    async (signal) => {
      const counting = `let count = 0;
        process.on("${signal}", () => { count += 1; setImmediate(() => { console.log("count " + count); process.exit(9); }); });
        setInterval(() => {}, 1000); console.log("up");`;
      const child = start(["--build", buildId, "--", ...script(counting)]);
      child.stdout?.once("data", () => child.kill(signal));
      expect(await ended(child)).toMatchObject({ code: 9, out: "up\ncount 1\n" });
    },
  );

  test("a command that ignores a signal goes on, and so do we", async () => {
    const stubborn = `process.on("SIGTERM", () => {}); process.stdin.on("data", () => process.exit(4)); console.log("up");`;
    const child = start(["--build", buildId, "--", ...script(stubborn)]);
    child.stdout?.once("data", () => {
      child.kill("SIGTERM");
      child.stdin?.write("go");
    });
    expect((await ended(child)).code).toBe(4);
  });
});

describe("a command that cannot be started", () => {
  test("is exit code 127 when it is not found", async () => {
    const { code, err } = await run(["no-such-command-here"]);
    expect(code).toBe(127);
    expect(err).toContain('The command "no-such-command-here" was not found.');
  });

  test("is exit code 127 when its interpreter is missing", async () => {
    const file = join(folder, "script");
    writeFileSync(file, "#!/no/such/interpreter\n");
    chmodSync(file, 0o755);
    expect(await run([file])).toMatchObject({ code: 127 });
  });

  test("is exit code 126 when it may not be executed", async () => {
    const file = join(folder, "plain.txt");
    writeFileSync(file, "text");
    const { code, err } = await run([file]);
    expect(code).toBe(126);
    expect(err).toContain("chmod +x");
  });

  test("is JSON on stderr with --json", async () => {
    const { code, err, out } = await run(["no-such-command-here"], ["--json"]);
    expect(JSON.parse(err)).toMatchObject({ error: { code: "command_not_found" } });
    expect({ code, out }).toEqual({ code: 127, out: "" });
  });
});

describe("a command is not started at all", () => {
  const touch = script("console.log('started')");
  test.each([
    ["with a refused token", { KEYLOAN_TOKEN: "klo_bld_wrong" }, 1],
    ["without a token", { KEYLOAN_TOKEN: "" }, 1],
    ["with a broker that is not there", { KEYLOAN_URL: "http://127.0.0.1:1" }, 1],
    ["over http to another machine", { KEYLOAN_URL: "http://keyloan.example.com" }, 1],
  ])("%s", async (_name, env, code) => {
    const ending = await run(touch, [], env);
    expect(ending).toMatchObject({ code, out: "" });
    expect(ending.err).toMatch(/^keyloan: .+\n {2}.+/);
  });

  test.each([
    ["no build", ["--", "true"]],
    ["a malformed build", ["--build", "bld_../../x", "--", "true"]],
    ["no command", ["--build", "BUILD"]],
    ["a command without --", ["--build", "BUILD", "true"]],
    ["an unknown option", ["--bild", "BUILD", "--", "true"]],
    ["an unknown profile", ["--build", "BUILD", "--profile", "nxt", "--", "true"]],
  ])("with %s, which is wrong usage", async (_name, args) => {
    const before = broker.seen.length;
    const named = args.map((each) => (each === "BUILD" ? buildId : each));
    expect(await ended(start(named))).toMatchObject({ code: 2, out: "" });
    expect(broker.seen).toHaveLength(before);
  });
});

test("the token can be read from a file", async () => {
  const file = join(folder, "token");
  writeFileSync(file, `${broker.adminToken}\n`, { mode: 0o600 });
  const { code, out } = await run(printEnv, [], { KEYLOAN_TOKEN: "", KEYLOAN_TOKEN_FILE: file });
  expect(code).toBe(0);
  expect(out).not.toContain(broker.adminToken);
});
