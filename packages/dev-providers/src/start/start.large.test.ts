import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@keyloan/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listeningAddresses } from "../testing/listening-addresses.ts";
import {
  childPidsOf,
  createBench,
  type LauncherRun,
  screenOf,
  waitUntilGone,
} from "../testing/run-launcher.ts";
import { workspace } from "../workspace.ts";

const bench = createBench();
const home = join(bench.folder(), "home");
let run: LauncherRun;

async function startHere(): Promise<LauncherRun> {
  const started = bench.run(["start"], { KEYLOAN_HOME: home });
  await started.ready();
  return started;
}

function clientOf(started: LauncherRun) {
  const url = /Broker +(http:\S+)/.exec(started.output())?.[1] ?? "";
  return createClient({ url, token: readFileSync(join(home, "admin-token"), "utf8").trim() });
}

beforeAll(async () => {
  run = await startHere();
});
afterAll(() => bench.clean());

describe("a first start", () => {
  test("prints one short screen whose addresses all answer, and no secret", async () => {
    const screen = screenOf(run);
    expect(screen.length).toBeLessThanOrEqual(23);
    expect(screen.join("\n")).toContain("keyloan build link <build id>");
    const urls = screen.flatMap((line) => /^ {2}\w.+ (http:\S+)$/.exec(line)?.[1] ?? []);
    expect(urls.length).toBeGreaterThanOrEqual(6);
    const answers = await Promise.all(urls.map((url) => fetch(url)));
    expect(answers.every(({ status }) => status < 500)).toBe(true);
    expect(run.output()).not.toMatch(/klo_admin_\w|[sr]k_test_|eyJ/);
    expect(run.output()).not.toContain("\u001b");
  });

  test("keeps its state in files for their owner alone", () => {
    const entries = readdirSync(home, { recursive: true, withFileTypes: true });
    const modes = entries.map((entry) => {
      const mode = statSync(join(entry.parentPath, entry.name)).mode & 0o777;
      return [entry.name, mode.toString(8)] as const;
    });
    const open = modes.filter(([, mode], index) => mode !== (entries[index]?.isDirectory() ? "700" : "600"));
    expect(open).toEqual([]);
    expect((statSync(home).mode & 0o777).toString(8)).toBe("700");
  });

  test.runIf(process.platform === "linux")("listens on 127.0.0.1 and nowhere else", () => {
    const addresses = childPidsOf(home).flatMap(listeningAddresses);
    expect(addresses.length).toBeGreaterThanOrEqual(6);
    expect(addresses.filter((address) => !address.startsWith("0100007F:"))).toEqual([]);
  });

  test.runIf(hasCurl())("prints commands that work as they stand in the root folder", async () => {
    const lines = screenOf(run);
    const after = (title: string) => {
      const begin = lines.indexOf(title) + 1;
      const end = lines.indexOf("", begin);
      return lines.slice(begin, end === -1 ? undefined : end).join("\n");
    };
    const created = JSON.parse(await shell(after("Create a build:")));
    expect(created.state).toBe("ready");
    expect(statSync(join(home, "build.json")).mode & 0o777).toBe(0o600);
    const printed = await shell(after("Run the example app with its env:"), /listening on http:/);
    expect(printed).toContain("storage: ok");
  });

  test("refuses a second launcher on the same folder and says where the first one is", async () => {
    const second = bench.run(["start"], { KEYLOAN_HOME: home });
    expect((await second.exited).code).toBe(1);
    expect(second.output()).toMatch(/Keyloan is already running on this folder \(process \d+, http:\S+\): /);
    expect(second.output()).toContain(`process ${run.pid},`);
  });
});

describe("a launcher that is killed", () => {
  test("leaves no child behind, and the next start serves the builds of the first", async () => {
    const build = await clientOf(run).builds.create({ name: "kept" });
    expect(build.state).toBe("ready");
    const env = await clientOf(run).builds.env(build.id);
    expect(await query(env, "create table kept (word text)")).toBe(200);
    const children = childPidsOf(home);
    expect(children).toHaveLength(3);

    run.kill("SIGKILL");
    await run.exited;
    const next = startHere();
    await waitUntilGone(children);
    run = await next;

    expect(await clientOf(run).builds.env(build.id)).toEqual(env);
    expect(await query(env, "insert into kept values ('still here')")).toBe(200);
    const keys = (await clientOf(run).orgKeys.list()).orgKeys;
    expect(keys.map(({ version }) => version)).toEqual(keys.map(() => 1));
  });
});

describe("a launcher that is asked to stop", () => {
  test("ends every child and exits with 0, also when the signal comes twice", async () => {
    const children = childPidsOf(home);
    run.kill("SIGINT");
    run.kill("SIGINT");
    expect(await run.exited).toEqual({ code: 0, signal: null });
    await waitUntilGone(children);
    expect(readdirSync(home)).not.toContain("running.json");
  });

  test("does so on SIGHUP while it still starts", async () => {
    const starting = bench.run(["start"], { KEYLOAN_HOME: home });
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (!starting.output().includes("Starting the stand-ins")) return;
        clearInterval(timer);
        resolve();
      }, 5);
    });
    starting.kill("SIGHUP");
    expect((await starting.exited).code).toBe(0);
  });
});

describe("stored data and its root key", () => {
  test("that do not fit: the broker's sentence, exit code 1", async () => {
    const file = join(home, "root-key");
    const right = readFileSync(file, "utf8");
    const other = execFileSync(process.execPath, [workspace.cliProgram, "root-key", "create"]);
    writeFileSync(file, other);
    const refused = bench.run(["start"], { KEYLOAN_HOME: home });
    expect((await refused.exited).code).toBe(1);
    writeFileSync(file, right);
    expect(refused.output()).toMatch(/The broker does not start: .*root key/i);
    expect(refused.output()).not.toContain(other.toString("utf8").trim());
  });
});

function hasCurl(): boolean {
  try {
    execFileSync("curl", ["--version"]);
    return true;
  } catch {
    return false;
  }
}

/** What a command prints: all of it, or up to a pattern, after which the command is stopped. */
async function shell(command: string, until?: RegExp): Promise<string> {
  const child = spawn("/bin/sh", ["-c", command], {
    cwd: workspace.root,
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
    env: { PATH: process.env.PATH },
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString("utf8");
    if (until?.test(output) === true && child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
  });
  await once(child, "close");
  return output;
}

async function query(env: Readonly<Record<string, string>>, sql: string): Promise<number> {
  const response = await fetch(new URL("/v2/pipeline", env.TURSO_DATABASE_URL), {
    method: "POST",
    headers: { authorization: `Bearer ${env.TURSO_AUTH_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ requests: [{ type: "execute", stmt: { sql } }, { type: "close" }] }),
  });
  const { results } = (await response.json()) as { results?: readonly { type: string }[] };
  return results?.[0]?.type === "ok" ? response.status : 0;
}
