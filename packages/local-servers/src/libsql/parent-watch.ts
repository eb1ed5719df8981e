import { spawn } from "node:child_process";

/**
 * Ends another process when this one ends, even if this one is killed with `kill -9`: a shell waits for the
 * pipe from here to close. Both run outside the terminal's process group, so that Ctrl-C reaches only us.
 * @returns a function that ends the watch: call it when the process has ended by itself, before its id can be reused
 */
export function endWithParent(pid: number): () => void {
  const watcher = spawn("/bin/sh", ["-c", script, "keyloan-parent-watch", String(pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    env: {},
  });
  // Without a shell the pid file still lets the next start clean up.
  watcher.once("error", () => {});
  watcher.stdin.on("error", () => {});
  watcher.unref();
  return () => {
    watcher.kill("SIGKILL");
    watcher.stdin.destroy();
  };
}

const script = `
while read -r _; do :; done
kill -TERM "$1" 2>/dev/null || exit 0
left=30
while [ "$left" -gt 0 ] && kill -0 "$1" 2>/dev/null; do left=$((left - 1)); sleep 0.1; done
kill -KILL "$1" 2>/dev/null
`;
