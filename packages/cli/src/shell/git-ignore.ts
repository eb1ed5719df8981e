import { spawnSync } from "node:child_process";
import { basename, dirname } from "node:path";
import { type Environment, ownVariables } from "../env.ts";

/** Whether a file lies in a git work tree that would take it into a commit. False where git is not there. */
export function isUnignored(file: string, env: Environment): boolean {
  const ownEnv: Record<string, string | undefined> = { ...env };
  for (const name of ownVariables) delete ownEnv[name];
  const { status } = spawnSync(
    "git",
    ["-c", "core.fsmonitor=false", "check-ignore", "--quiet", "--", basename(file)],
    { cwd: dirname(file), stdio: "ignore", timeout: 5000, env: ownEnv },
  );
  // 0: ignored. 1: not ignored. 128: not a work tree.
  return status === 1;
}
