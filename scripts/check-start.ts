// Does what the README tells a stranger to do: `start`, then the two commands that its screen prints, then Ctrl-C.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const home = mkdtempSync(join(tmpdir(), "keyloan-check-start-"));
const env = { ...process.env, KEYLOAN_HOME: home, PORT: String(await freePort()), NO_COLOR: "1" };

const start = spawn("npx", ["-y", "pnpm@12.21.0", "start"], { cwd: root, env, detached: true });
try {
  const screen = await textUntil(start, /Run the example app[\s\S]*main\.ts\n/, 300_000);
  say("start prints its screen");
  const [curl = "", run = ""] = screen
    .slice(screen.indexOf("Create a build"))
    .split(/^Run the example app.*$/m)
    .map((part) => part.replace(/^Create a build.*$/m, "").trim());

  const made = spawnSync("sh", ["-c", curl], { cwd: root, env, encoding: "utf8" });
  if (!made.stdout.includes('"state":"ready"'))
    throw new Error(`the curl line gave: ${made.stdout}${made.stderr}`);
  say("its curl line creates a build that is ready");

  const app = spawn("sh", ["-c", run], { cwd: root, env, detached: true });
  const heard = await textUntil(app, /listening on (http:\S+)/, 60_000);
  const health = await fetch(`${/listening on (http:\S+)/.exec(heard)?.[1]}/health`);
  if (health.status !== 200) throw new Error(`the example app is not healthy: ${await health.text()}`);
  say("its keyloan run line starts the example app, and every service works");
  await end(app, "SIGTERM");

  await end(start, "SIGINT");
  const refused = await fetch(`http://127.0.0.1:${env.PORT}/health`).then(
    () => false,
    () => true,
  );
  if (!refused) throw new Error("the broker still answers after Ctrl-C");
  say("Ctrl-C ends everything");
} catch (error) {
  console.error(`FAILED: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  kill(start, "SIGKILL");
  rmSync(home, { recursive: true, force: true });
}

function say(line: string): void {
  console.log(`ok  ${line}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

function textUntil(child: ChildProcess, pattern: RegExp, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const late = setTimeout(() => reject(new Error(`not within ${timeoutMs / 1000} s: ${text}`)), timeoutMs);
    const hear = (chunk: Buffer) => {
      text += chunk.toString();
      if (!pattern.test(text)) return;
      clearTimeout(late);
      resolve(text);
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
    child.once("exit", (code) => {
      clearTimeout(late);
      reject(new Error(`ended with ${code}: ${text}`));
    });
  });
}

/** Signals the whole process group, as a terminal does, and waits for its leader to end. */
async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = once(child, "exit");
  kill(child, signal);
  await ended;
}

function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // It has ended already.
  }
}
