import { readdir, readFile, stat } from "node:fs/promises";
import { totalmem } from "node:os";
import { join } from "node:path";
import { diskBytesFor, memoryBytesFor, workMsFor } from "./file-limits.ts";
import { type FileProcess, killProcess } from "./start-process.ts";

/** Why a process was ended. */
export type EndedFor = "time" | "memory" | "disk";

export type FileLimits = {
  readonly workMs: (dumpBytes: number) => number;
  readonly diskBytes: (dumpBytes: number) => number;
  readonly memoryBytes: (dumpBytes: number) => number;
};

export const usualLimits: FileLimits = {
  workMs: workMsFor,
  diskBytes: diskBytesFor,
  memoryBytes: (dumpBytes) => memoryBytesFor(dumpBytes, totalmem()),
};

export type ProcessWatch = {
  /** Reports that more bytes of the dump were given to the process. */
  readonly given: (bytes: number) => void;
  /** How many bytes were given so far. */
  readonly bytes: () => number;
  /** Whether the process waits for us from now on. Its time counts only while we wait for it. */
  readonly waitsForUs: (waits: boolean) => void;
  readonly endedFor: () => EndedFor | undefined;
  readonly stop: () => void;
};

const lookMs = 200;

/** Ends a process by SIGKILL if it takes more time, memory or disk space than the size of its dump allows. */
export function watchProcess(child: FileProcess, folder: string, limits: FileLimits): ProcessWatch {
  let bytes = 0;
  let endedFor: EndedFor | undefined;
  let workedMs = 0;
  let since: number | undefined;
  let looking = false;
  const end = (reason: EndedFor) => {
    endedFor ??= reason;
    killProcess(child);
  };
  const worked = () => workedMs + (since === undefined ? 0 : performance.now() - since);
  const look = async () => {
    if (worked() > limits.workMs(bytes)) return end("time");
    if (looking || child.pid === undefined) return;
    looking = true;
    const [disk, memory] = await Promise.all([diskOf(child.pid, folder), memoryOf(child.pid)]);
    looking = false;
    if (disk > limits.diskBytes(bytes)) end("disk");
    else if (memory > limits.memoryBytes(bytes)) end("memory");
  };
  const timer = setInterval(() => void look(), lookMs);
  return {
    given: (more) => {
      bytes += more;
    },
    bytes: () => bytes,
    waitsForUs: (waits) => {
      workedMs = worked();
      since = waits ? undefined : performance.now();
    },
    endedFor: () => endedFor,
    stop: () => clearInterval(timer),
  };
}

/** The bytes of the files in its folder and of its open files, because SQLite's temporary files have no name. */
async function diskOf(processId: number, folder: string): Promise<number> {
  const opened = `/proc/${processId}/fd`;
  const paths = (await Promise.all([folder, opened].map(list))).flat();
  const sizes = new Map<string, number>();
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile()) sizes.set(`${found.dev}:${found.ino}`, found.size);
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

const list = async (folder: string) =>
  (await readdir(folder).catch(() => [])).map((name) => join(folder, name));

/** In bytes; 0 if the system does not report it. */
async function memoryOf(processId: number): Promise<number> {
  const status = await readFile(`/proc/${processId}/status`, "utf8").catch(() => "");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
