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

/** In the built broker, this is a file of its own beside the bundle: `apps/broker/build.ts`. */
const program = () => {
  const extension = extname(import.meta.url);
  return fileURLToPath(new URL(extension === ".ts" ? "./main.ts" : "./database-file.js", import.meta.url));
};

export type StartOptions = {
  /** The module that the process runs; the one that makes files by default. */
  readonly program?: string;
  /** `false` leaves out the limits that only a shell can set. */
  readonly shell?: boolean;
};

/**
 * Starts the process that makes a file. It inherits none of this process's environment variables and open files, and
 * uses the folder for its temporary files.
 * @returns `undefined` when the system cannot start another process or open another file
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
    // A process group of its own, so that any process that it started ends with it.
    detached: true,
  });
  if (child.pid !== undefined) return child;
  await once(child, "error");
  return undefined;
}

/** Ends the process and its group at once, unless the process has already ended. */
export function killProcess(child: FileProcess): void {
  if (child.exitCode === null && child.signalCode === null) killGroup(child);
}

function killGroup({ pid }: FileProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // No process of the group is left.
  }
}

/**
 * Resolves when the process has ended and its output is read; after `lastWordsMs` even if others hold the output open.
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
 * A shell script that sets the limits that the system supports, in addition to those of `watch-process.ts`. One file
 * takes at most half of the free disk space, so that a download never leaves the store without any.
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
