import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { rootCertificates } from "node:tls";
import { promisify } from "node:util";

/** The command that starts the libSQL server, with the environment variables that it needs. */
export type SqldCommand = {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

/**
 * A way to start the server so that the only files it sees are its program, the program's libraries and its data
 * folder, at the usual path. Each step replaces the one before in the same process, so the process id stays the same.
 */
export type SqldWall = (program: string, args: readonly string[]) => SqldCommand;

const checkTimeoutMs = 15_000;
const path = "/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * The walls to try on this machine, the best first. As root, the server gets a user id that no account has, and
 * the data folder is given to that id. Without root, it gets a user namespace in which it is `nobody`.
 */
export function sqldWalls(directory: string, userId = process.getuid?.()): readonly SqldWall[] {
  const ownUser = wall(directory, {
    enter: [],
    owner: ownUserId(directory),
    leave: (owner) => [`--setuid=${owner}`, `--setgid=${owner}`],
  });
  const ownNamespace = wall(directory, {
    enter: ["--user", "--map-root-user"],
    owner: "",
    // A second namespace, because in the first one it is root, with the rights that the mounts required.
    leave: () => ["--user", "--map-user=65534", "--map-group=65534"],
  });
  return userId === 0 ? [ownUser, ownNamespace] : [ownNamespace];
}

/** Whether the wall works on this machine: tries it with the server's shortest command. */
export async function standsWall(wallToTry: SqldWall, program: string): Promise<boolean> {
  const command = wallToTry(program, ["--version"]);
  try {
    await promisify(execFile)(command.program, [...command.args], {
      env: command.env,
      timeout: checkTimeoutMs,
      killSignal: "SIGKILL",
    });
    return true;
  } catch {
    return false;
  }
}

type WallPlan = {
  readonly enter: readonly string[];
  /** The user id that is given the data folder; if empty, the folder keeps its owner. */
  readonly owner: string;
  readonly leave: (owner: string) => readonly string[];
};

function wall(directory: string, { enter, owner, leave }: WallPlan): SqldWall {
  return (program, args) => ({
    program: "unshare",
    args: [
      ...[...enter, "--mount", "--propagation=private", "/bin/sh", "-c", script, "keyloan-wall"],
      ...[program, directory, owner, rootCertificates[0] ?? ""],
      ...[...leave(owner), "--root=/sys", `--wd=${directory}`, "/sqld", ...args],
    ],
    // The server makes no outgoing calls, but does not start without a root certificate to trust.
    env: { PATH: path, SSL_CERT_FILE: "/ca.pem", TMPDIR: directory },
  });
}

// /sys exists on every Linux and nothing here needs it: it becomes the new root, in this mount namespace only.
// The libraries are few and small, so one copy takes less time than a mount for each.
const script = `
set -e
program=$1 directory=$2 owner=$3 certificate=$4
shift 4
mask=$(umask)
umask 022
mount -t tmpfs -o mode=755,size=32m tmpfs /sys
libraries=
for word in $(LD_TRACE_LOADED_OBJECTS=1 "$program"); do
  case $word in /*) libraries="$libraries $word" ;; esac
done
cp -L --parents $libraries /sys
printf '%s\n' "$certificate" > /sys/ca.pem
: > /sys/sqld
mount --bind -o ro,nosuid,nodev "$program" /sys/sqld
mkdir -p "/sys$directory"
if [ -n "$owner" ]; then chown -hR "$owner:$owner" "$directory"; fi
mount --bind "$directory" "/sys$directory"
mount -o remount,bind,ro /sys
umask "$mask"
exec unshare "$@"
`;

/** One of 500 ids that Debian reserves and never assigns. The path selects it, so two folders rarely share one. */
function ownUserId(directory: string): string {
  return String(65_000 + (createHash("sha256").update(directory).digest().readUInt32BE(0) % 500));
}
