import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { totalmem } from "node:os";
import { extname } from "node:path";
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { memoryBytesFor } from "./file-limits.ts";

export type FileProcess = ChildProcessByStdio<Writable, Readable, null>;

const shell = "/bin/sh";
const heapMegabytesMax = 512;
const processorSecondsMax = 3600;
const lastWordsMs = 1_000;
const kilobyte = 1024;
const shellBlockBytes = 512;

/** The built broker has this as one file beside the one it was bundled into: `apps/broker/build.ts`. */
const program = () => {
  const extension = extname(import.meta.url);
  return fileURLToPath(new URL(extension === ".ts" ? "./main.ts" : "./database-file.js", import.meta.url));
};

export type StartOptions = {
  /** The module it runs; its own is given where nothing else is. */
  readonly program?: string;
  /** `false` leaves out the limits that only a shell can set. */
  readonly shell?: boolean;
};

/**
 * Starts the process that makes a file, with nothing of this one: no variable of its environment, none of its open
 * files, and the folder as its own for what is temporary.
 * @returns nothing when the system has no process or no file to spare
 */
export async function startProcess(
  folder: string,
  options: StartOptions = {},
): Promise<FileProcess | undefined> {
  const node = [
    `--max-old-space-size=${heapMegabytesMax}`,
    options.program ?? program(),
    String(process.pid),
  ];
  const isLimited = options.shell !== false && existsSync(shell);
  const [command, args] = isLimited
    ? [shell, ["-c", await limitScript(folder), process.execPath, ...node]]
    : [process.execPath, node];
  const child = spawn(command, args, {
    cwd: folder,
    env: { TMPDIR: ".", SQLITE_TMPDIR: "." },
    stdio: ["pipe", "pipe", "ignore"],
    // A group of its own, so that whatever it may have started ends with it.
    detached: true,
  });
  if (child.pid !== undefined) return child;
  await once(child, "error");
  return undefined;
}

/** Ends the process and its group at once, unless it is gone. */
export function killProcess(child: FileProcess): void {
  if (child.exitCode === null && child.signalCode === null) killGroup(child);
}

function killGroup({ pid }: FileProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left of it.
  }
}

/**
 * Resolves when the process is gone, and what it said is read. Somebody else who holds its output keeps nobody waiting.
 */
export async function processEnd(child: FileProcess): Promise<void> {
  const said = new Promise((resolve) => child.stdout.once("close", resolve));
  await new Promise((resolve) => child.once("exit", resolve));
  killGroup(child);
  await Promise.race([said, delay(lastWordsMs, undefined, { ref: false })]);
  child.stdout.destroy();
  child.stdin.destroy();
}

/**
 * Limits that the system itself keeps, each where it knows it; they come on top of those that are watched. One file
 * takes half of the free room at most, so that a download never leaves the store without any.
 */
async function limitScript(folder: string): Promise<string> {
  const { bavail, bsize } = await statfs(folder);
  const limits = [
    ["c", 0],
    ["t", processorSecondsMax],
    ["f", Math.ceil((bavail * bsize) / 2 / shellBlockBytes)],
    ["d", Math.ceil(memoryBytesFor(Number.POSITIVE_INFINITY, totalmem()) / kilobyte)],
  ] as const;
  const lines = limits.map(
    ([flag, value]) => `(ulimit -${flag} ${value}) 2>/dev/null && ulimit -${flag} ${value}`,
  );
  return [...lines, 'exec "$0" "$@"'].join("\n");
}
