import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { vi } from "vitest";
import { processLives } from "../processes/process-lives.ts";

const program = fileURLToPath(new URL("../main.ts", import.meta.url));
const patienceMs = 20_000;

export type LauncherRun = {
  readonly pid: number;
  /** All that was printed so far, both streams. */
  readonly output: () => string;
  /** Resolves when the screen is there. */
  readonly ready: () => Promise<void>;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
};

/** Temporary folders and launchers of one test file; `clean` ends and removes them. */
export function createBench() {
  const folders: string[] = [];
  const runs: ChildProcess[] = [];
  return {
    folder: () => {
      const folder = mkdtempSync(join(tmpdir(), "keyloan-launcher-"));
      folders.push(folder);
      return folder;
    },
    run: (args: readonly string[], env: Readonly<Record<string, string>> = {}): LauncherRun => {
      const child = spawn(process.execPath, [program, ...args], {
        stdio: ["ignore", "pipe", "pipe"],
        env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", PORT: "0", ...env },
      });
      runs.push(child);
      return toRun(child);
    },
    clean: async () => {
      for (const child of runs) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        child.kill("SIGTERM");
        await once(child, "exit");
      }
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function toRun(child: ChildProcess): LauncherRun {
  let output = "";
  const read = (chunk: Buffer) => {
    output += chunk.toString("utf8");
  };
  child.stdout?.on("data", read);
  child.stderr?.on("data", read);
  const exited = once(child, "close").then(([code, signal]) => ({ code, signal }));
  return {
    pid: child.pid ?? 0,
    output: () => output,
    ready: () =>
      vi.waitUntil(
        () => {
          if (child.exitCode !== null) throw new Error(`it ended: ${output}`);
          return output.includes("examples/notes/src/main.ts\n");
        },
        { timeout: patienceMs, interval: 20 },
      ) as Promise<never>,
    kill: (signal) => void child.kill(signal),
    exited,
  };
}

/** The screen: what was printed once everything ran. */
export function screenOf(run: LauncherRun): readonly string[] {
  return run.output().slice(run.output().indexOf("Keyloan is ready")).trimEnd().split("\n");
}

/** Every process that a launcher on this folder has started: broker, stand-ins, libSQL server. */
export function childPidsOf(home: string): readonly number[] {
  const running = JSON.parse(readFileSync(join(home, "running.json"), "utf8"));
  const server = JSON.parse(readFileSync(join(home, "providers/turso/libsql/sqld.pid"), "utf8"));
  return [...running.childPids, server.pid];
}

export async function waitUntilGone(pids: readonly number[]): Promise<void> {
  await vi.waitUntil(() => !pids.some(processLives), { timeout: patienceMs, interval: 20 });
}
