import { readFileSync } from "node:fs";

/** Whether a process of this id runs. One that has ended but that nobody has waited for does not. */
export function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    // In a container without an init, orphans that have ended stay in the table as zombies for good.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.charAt(stat.lastIndexOf(")") + 2) !== "Z";
  } catch {
    return process.platform !== "linux";
  }
}
