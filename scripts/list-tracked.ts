import { spawnSync } from "node:child_process";

/** The files of a git work tree that are tracked and there. @throws Error where there is none */
export function listTracked(root: string): string[] {
  const list = (which: "--cached" | "--deleted") => {
    const { status, stdout } = spawnSync("git", ["ls-files", "-z", which], { cwd: root, encoding: "utf8" });
    if (status !== 0) throw new Error("this is no git work tree");
    return stdout.split("\0");
  };
  const gone = new Set(list("--deleted"));
  return list("--cached").filter((file) => file !== "" && !gone.has(file));
}
