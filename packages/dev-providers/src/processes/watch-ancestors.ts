import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

type Link = { readonly pid: number; readonly parent: number };

const onLinux = process.platform === "linux";
const checkMs = onLinux ? 200 : 1_000;

/**
 * Calls `stop` when one of the programs that wait for this one is gone: package managers and the shells
 * between them. They pass on Ctrl-C, but not every way to end them, and then nobody could stop us.
 */
export async function onAncestorEnd(stop: () => void): Promise<void> {
  const chain = await findChain();
  const timer = setInterval(async () => {
    const parents = await Promise.all(chain.map(({ pid }) => parentOf(pid)));
    if (chain.every(({ parent }, index) => parent === parents[index])) return;
    clearInterval(timer);
    stop();
  }, checkMs);
  timer.unref();
}

async function findChain(): Promise<readonly Link[]> {
  const chain: Link[] = [{ pid: process.pid, parent: process.ppid }];
  let pid = process.ppid;
  while (pid > 1 && isPartOfScript(pid, chain.length)) {
    const parent = await parentOf(pid);
    if (parent === undefined) break;
    chain.push({ pid, parent });
    pid = parent;
  }
  return chain;
}

/** Whether a package manager started that process to run a script; elsewhere than on Linux, a guess by distance. */
function isPartOfScript(pid: number, distance: number): boolean {
  if (!onLinux) return distance === 1;
  try {
    return /(?:^|\0)npm_lifecycle_event=/.test(readFileSync(`/proc/${pid}/environ`, "utf8"));
  } catch {
    return false;
  }
}

async function parentOf(pid: number): Promise<number | undefined> {
  if (pid === process.pid) return process.ppid;
  try {
    if (!onLinux) {
      const { stdout } = await promisify(execFile)("/bin/ps", ["-o", "ppid=", "-p", String(pid)]);
      return Number(stdout);
    }
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold spaces; state and parent follow it.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}
