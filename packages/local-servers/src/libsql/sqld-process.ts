import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { chmod, mkdir, realpath, rm } from "node:fs/promises";
import { request } from "node:http";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { findSqld } from "./find-sqld.ts";
import { endWithParent } from "./parent-watch.ts";
import { type SqldCommand, type SqldWall, sqldWalls, standsWall } from "./sqld-wall.ts";
import { endStaleSqld } from "./stale-process.ts";

export type SqldProcess = {
  readonly pid: number;
  readonly httpPort: number;
  readonly adminPort: number;
  /** Random at every start; known to this process and the child only. */
  readonly adminKey: string;
  /** The wall that hides files outside its data folder from it; undefined if there is none. */
  readonly wall: SqldWall | undefined;
  /** Settles when the child has ended, for whatever reason. */
  readonly exited: Promise<void>;
  readonly stop: () => Promise<void>;
};

export type SqldStart = {
  readonly dataDirectory: string;
  readonly log: (line: string) => void;
  /** The walls to try, the best first; `undefined` is a start without a wall. */
  readonly ways?: readonly (SqldWall | undefined)[];
  /** Ends a start that is under way. */
  readonly signal?: AbortSignal;
};

const startTimeoutMs = 15_000;
const stopTimeoutMs = 3_000;
const portAttemptsMax = 5;
const threadStackBytes = 64 * 1024 * 1024;

/**
 * Starts the libSQL server on two free ports of 127.0.0.1 and waits until it answers.
 *
 * No namespace is open: there is no default one, and the server-wide token key is a public key whose
 * private half is thrown away, so that only a namespace's own key opens it. It runs behind a wall if the
 * platform allows one, and without a wall elsewhere.
 * @throws Error in one sentence if there is no program for this platform, the folder is in use, or it does not start
 */
export async function startSqldProcess({
  dataDirectory,
  log,
  ways: givenWays,
  signal,
}: SqldStart): Promise<SqldProcess> {
  const program = findSqld();
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  await chmod(dataDirectory, 0o700);
  const directory = await realpath(dataDirectory);
  const pidFile = join(directory, "sqld.pid");
  if ((await endStaleSqld(pidFile, directory)) === "ended") log("ended a libSQL server of an earlier start");
  const ways = [...(givenWays ?? [...sqldWalls(directory), undefined])];
  for (let attempt = 1; ; attempt++) {
    const [wall] = ways;
    signal?.throwIfAborted();
    const started = await startOnce({ program, directory, pidFile, wall, signal });
    if (typeof started !== "string") return started;
    // Checked only after a failed start: nearly everywhere a wall works, and the check takes as long as a start.
    if (ways.length > 1 && wall !== undefined && !(await standsWall(wall, program))) {
      ways.shift();
      attempt--;
      continue;
    }
    // Another process may take the ports after they were found free and before the server uses them.
    if (!/address already in use/i.test(started) || attempt === portAttemptsMax) {
      throw new Error(`The libSQL server does not start: ${started || "it ended without a word"}`);
    }
  }
}

type Place = {
  readonly program: string;
  readonly directory: string;
  readonly pidFile: string;
  readonly wall: SqldWall | undefined;
  readonly signal: AbortSignal | undefined;
};

async function startOnce({
  program,
  directory,
  pidFile,
  wall,
  signal,
}: Place): Promise<SqldProcess | string> {
  const [httpPort, adminPort] = await findFreePorts();
  const adminKey = randomBytes(32).toString("base64url");
  const args = sqldArguments(directory, httpPort, adminPort);
  const child = spawnSqld(wall?.(program, args) ?? { program, args, env: {} }, directory, adminKey);
  const lastWords = collectLastWords(child);
  const exited = once(child, "exit").then(
    () => undefined,
    () => undefined,
  );
  if (child.pid === undefined) {
    await exited;
    return `${program} cannot be run`;
  }
  const { pid } = child;
  // The server could have put a link here, which must not be written through.
  rmSync(pidFile, { recursive: true, force: true });
  writeFileSync(pidFile, JSON.stringify({ pid, parentPid: process.pid }), { mode: 0o600, flag: "wx" });
  const release = endWithParent(pid);
  void exited.then(release);
  const stop = async () => {
    await endChild(child, exited);
    await rm(pidFile, { force: true });
  };
  if (await waitUntilAnswering(child, adminPort, adminKey, signal)) {
    return { pid, httpPort, adminPort, adminKey, wall, exited, stop };
  }
  await stop();
  return lastWords();
}

function sqldArguments(directory: string, httpPort: number, adminPort: number): readonly string[] {
  const args = ["--no-welcome", "--db-path", directory];
  args.push("--http-listen-addr", `127.0.0.1:${httpPort}`);
  args.push("--admin-listen-addr", `127.0.0.1:${adminPort}`);
  args.push("--enable-namespaces", "--disable-default-namespace");
  // The replication log of every namespace may grow to this many megabytes; the default is 200.
  args.push("--max-log-size", "1");
  // About 0.3 MB and 5 file descriptors each; the others are opened again on demand. High, so rarely reached: while
  // the server closes a namespace to make room for another, it reports for a moment that it does not exist.
  args.push("--max-active-namespaces", "500");
  args.push("--max-concurrent-connections", "1024", "--max-concurrent-requests", "1024");
  args.push("--shutdown-timeout", "2");
  return args;
}

function spawnSqld({ program, args, env }: SqldCommand, directory: string, adminKey: string): ChildProcess {
  return spawn(program, args, {
    cwd: directory,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    // Secrets are passed in the environment: every user of the machine can read arguments.
    env: {
      ...env,
      LIBSQL_ADMIN_AUTH_KEY: adminKey,
      SQLD_AUTH_JWT_KEY: publicKeyOfNobody(),
      // Functions that recurse on data, such as LIKE, end the whole server when the default stack of 2 MiB overflows.
      RUST_MIN_STACK: String(threadStackBytes),
      LIBSQL_DISABLE_METRICS: "true",
      RUST_LOG: "error",
    },
  });
}

function publicKeyOfNobody(): string {
  const { x } = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
  if (x === undefined) throw new Error("an Ed25519 public key has no x");
  return x;
}

/** Reads the child's output so that it never blocks; only the last lines before an early end are useful. */
function collectLastWords(child: ChildProcess): () => string {
  let words = "";
  const keep = (chunk: Buffer) => {
    words = (words + chunk.toString("utf8")).slice(-2_000);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  return () => words.trim().split("\n").slice(-3).join(" ").slice(0, 500);
}

async function waitUntilAnswering(
  child: ChildProcess,
  port: number,
  adminKey: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const deadline = performance.now() + startTimeoutMs;
  const ended = () => child.exitCode !== null || child.signalCode !== null || signal?.aborted === true;
  while (performance.now() < deadline && !ended()) {
    // Our server answers 404, because it has no such namespace; another libSQL server here would refuse our key.
    if ((await statusOf(port, adminKey)) === 404) return child.exitCode === null;
    await delay(5);
  }
  return false;
}

function statusOf(port: number, adminKey: string): Promise<number> {
  return new Promise((resolve) => {
    const call = request({
      host: "127.0.0.1",
      port,
      path: "/v1/namespaces/none/config",
      agent: false,
      timeout: 1_000,
      headers: { authorization: `basic ${adminKey}` },
    });
    call.once("error", () => resolve(0));
    call.once("timeout", () => call.destroy());
    call.once("response", (response) => {
      response.resume();
      response.once("close", () => resolve(response.statusCode ?? 0));
    });
    call.end();
  });
}

async function endChild(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
  await exited;
  clearTimeout(timer);
}

async function findFreePorts(): Promise<readonly [number, number]> {
  const servers = [createServer(), createServer()] as const;
  const ports = [await listen(servers[0]), await listen(servers[1])] as const;
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}
