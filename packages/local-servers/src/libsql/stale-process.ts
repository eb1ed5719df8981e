import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { open, readFile, readlink, rm } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

export type PidRecord = { readonly pid: number; readonly parentPid: number };

/** What the system reports about a running process. */
type ProcessFacts = {
  readonly parentPid: number;
  readonly program: string;
  readonly commandLine: readonly string[];
};

/**
 * Ends a libSQL server that still runs on this data directory after its parent ended, so that the next one can start.
 *
 * Process ids get reused: only a process that runs the `sqld` program on exactly this directory is ended.
 * @throws Error if its parent still runs, because the directory is in use then, or if it does not end
 */
export async function endStaleSqld(pidFile: string, dataDirectory: string): Promise<"none" | "ended"> {
  const record = await readPidRecord(pidFile);
  if (record === undefined) return "none";
  const facts = await readProcess(record.pid);
  if (facts === undefined || !isSqldOn(facts, dataDirectory)) {
    await rm(pidFile, { recursive: true, force: true });
    return "none";
  }
  if (facts.parentPid === record.parentPid) {
    throw new Error(
      `Process ${record.parentPid} uses this database folder already: stop it, or choose another folder.`,
    );
  }
  process.kill(record.pid, "SIGKILL");
  await waitUntilGone(record.pid, dataDirectory);
  await rm(pidFile, { recursive: true, force: true });
  return "ended";
}

export function isSqldOn(facts: ProcessFacts, dataDirectory: string): boolean {
  const at = facts.commandLine.indexOf("--db-path");
  return (
    basename(facts.program).startsWith("sqld") && at !== -1 && facts.commandLine[at + 1] === dataDirectory
  );
}

export async function readProcess(pid: number): Promise<ProcessFacts | undefined> {
  return process.platform === "linux" ? readProcFolder(pid) : readProcessList(pid);
}

async function readProcFolder(pid: number): Promise<ProcessFacts | undefined> {
  try {
    const [program, commandLine, stat] = await Promise.all([
      readlink(`/proc/${pid}/exe`),
      readFile(`/proc/${pid}/cmdline`, "utf8"),
      readFile(`/proc/${pid}/stat`, "utf8"),
    ]);
    // The name in parentheses may hold spaces; state and parent follow it.
    const parentPid = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    return { program, parentPid, commandLine: commandLine.split("\0") };
  } catch {
    return undefined;
  }
}

async function readProcessList(pid: number): Promise<ProcessFacts | undefined> {
  try {
    const { stdout } = await promisify(execFile)("/bin/ps", [
      "-ww",
      "-o",
      "ppid=",
      "-o",
      "command=",
      "-p",
      `${pid}`,
    ]);
    const match = /^\s*(\d+)\s+(.*?)\s+--no-welcome --db-path (.*?) --http-listen-addr /.exec(stdout);
    if (match === null) return undefined;
    return {
      parentPid: Number(match[1]),
      program: match[2] ?? "",
      commandLine: ["--db-path", match[3] ?? ""],
    };
  } catch {
    return undefined;
  }
}

async function readPidRecord(pidFile: string): Promise<PidRecord | undefined> {
  try {
    const { pid, parentPid } = JSON.parse(await readOwnFile(pidFile));
    // 0 and negative ids mean whole process groups to kill(2).
    return Number.isSafeInteger(pid) && pid > 1 && Number.isSafeInteger(parentPid)
      ? { pid, parentPid }
      : undefined;
  } catch {
    return undefined;
  }
}

/** The server can write to this folder: its file may have become a link, or a pipe that never ends. */
async function readOwnFile(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return (await file.stat()).isFile() ? await file.readFile("utf8") : "";
  } finally {
    await file.close();
  }
}

async function waitUntilGone(pid: number, dataDirectory: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const facts = await readProcess(pid);
    if (facts === undefined || !isSqldOn(facts, dataDirectory)) return;
    await delay(10);
  }
  throw new Error(`The libSQL server of an earlier start (process ${pid}) does not end: end it by hand.`);
}
