import { chmodSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { LaunchError, systemCode } from "../launch-error.ts";
import { lockHome } from "./lock-home.ts";

/** The folder of one installation on this machine, held by this process alone. */
export type Home = {
  readonly path: string;
  readonly adminTokenFile: string;
  readonly rootKeyFile: string;
  readonly portsFile: string;
  readonly orgKeysFile: string;
  /** Who runs here; left behind when the launcher was killed. */
  readonly runningFile: string;
  /** Where the printed `curl` keeps its answer, for the printed `keyloan run`. */
  readonly buildFile: string;
  readonly brokerFolder: string;
  readonly providersFolder: string;
  readonly logsFolder: string;
  readonly release: () => void;
};

/**
 * Makes the folder (0700) or takes the one of an earlier start, and locks it.
 * @throws LaunchError when it cannot be written, holds something else, or a launcher runs on it
 */
export function openHome(path: string): Home {
  const at = (name: string) => join(path, name);
  const folders = { brokerFolder: at("broker"), providersFolder: at("providers"), logsFolder: at("logs") };
  const runningFile = at("running.json");
  const release = prepare(path, () => {
    makeFolder(path);
    refuseForeignFolder(path);
    chmodSync(path, 0o700);
    const unlock = lockHome(at(lockName), runningFile);
    for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true, mode: 0o700 });
    return unlock;
  });
  return {
    path,
    adminTokenFile: at("admin-token"),
    rootKeyFile: at("root-key"),
    portsFile: at("ports.json"),
    orgKeysFile: at("org-keys.json"),
    runningFile,
    buildFile: at("build.json"),
    ...folders,
    release,
  };
}

const lockName = "lock";

// The folder becomes private to its owner: that must not happen to a folder with another purpose.
function refuseForeignFolder(path: string): void {
  const names = readdirSync(path);
  if (names.length === 0 || names.includes(lockName)) return;
  throw new LaunchError(
    `The folder ${path} contains other files: set KEYLOAN_HOME to a folder that is new, empty or from an earlier start.`,
  );
}

// Folder by folder: Node's own recursion tries for ever where a system says that an existing parent is not there.
function makeFolder(path: string): void {
  const isFolder = () => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (isFolder()) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another start may have made it a moment ago.
    if (systemCode(error) !== "EEXIST" || !isFolder()) throw error;
  }
}

function prepare<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof LaunchError) throw error;
    const code = systemCode(error);
    const reason =
      code === "EEXIST" || code === "ENOTDIR" ? "it is not a folder" : `it cannot be written to (${code})`;
    throw new LaunchError(
      `Keyloan keeps its state in ${path}, but ${reason}: give it a folder that you can write to, or set KEYLOAN_HOME to another one.`,
    );
  }
}
