import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { LaunchError } from "../launch-error.ts";
import { readRunning } from "./running.ts";

const busy = 5;
// A launcher that was just told to stop gets the time to do so.
const patienceMs = 1_500;

/**
 * Takes the folder for this process. Node has no file lock of its own; SQLite's is the system's, so that
 * it ends with this process whatever ends it, and two starts at one instant cannot both have it.
 * @returns gives the folder free
 * @throws LaunchError when another process has it
 */
export function lockHome(lockFile: string, runningFile: string): () => void {
  closeSync(openSync(lockFile, "a", 0o600));
  const lock = new DatabaseSync(lockFile, { timeout: patienceMs });
  try {
    lock.exec("begin exclusive");
  } catch (error) {
    lock.close();
    if (!(error instanceof Error && "errcode" in error && error.errcode === busy)) {
      throw new LaunchError(`The file ${lockFile} cannot be locked: delete it and start again.`);
    }
    const running = readRunning(runningFile);
    const who = running === undefined ? "" : ` (process ${running.pid}${at(running.url)})`;
    throw new LaunchError(
      `Keyloan is already running on this folder${who}: use that one, stop it first, or set KEYLOAN_HOME and PORT for a second one.`,
    );
  }
  return () => lock.close();
}

function at(url: string | undefined): string {
  return url === undefined ? "" : `, ${url}`;
}
