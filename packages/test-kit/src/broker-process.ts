import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const fromRoot = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** What `pnpm build` makes of the broker. */
export const builtFolder = fromRoot("apps/broker/dist");
export const programIn = (builtBroker: string) => join(builtBroker, "main.js");
export const sourceProgram = fromRoot("apps/broker/src/main.ts");

const startTimeoutMs = 30_000;

export type BrokerProcess = {
  readonly url: string;
  readonly port: number;
  readonly adminToken: string;
  readonly process: ChildProcess;
  /** What it has written so far, both streams. */
  readonly output: () => string;
  /** Resolves with the exit code when it has ended, however. */
  readonly ended: Promise<number | null>;
  /** Sends SIGTERM and gives the exit code. */
  readonly stop: () => Promise<number | null>;
};

/** A whole configuration but for the stand-ins' addresses; nothing is inherited from this process. */
export function newConfiguration(dataDirectory: string): Record<string, string> {
  return {
    PORT: "0",
    KEYLOAN_DATA_DIR: dataDirectory,
    KEYLOAN_ROOT_KEY: `test:${randomBytes(32).toString("base64url")}`,
    KEYLOAN_ADMIN_TOKEN: `klo_admin_${randomBytes(32).toString("base64url")}`,
  };
}

/**
 * Starts a broker in a process of its own and resolves when it is ready.
 * @param program what Node runs: the broker's sources, or the main file of a built one
 * @throws Error with its output when it ends before, or when the program is not there
 */
export async function startBrokerProcess(
  program: string,
  environment: Readonly<Record<string, string>>,
  nodeArguments: readonly string[] = [],
): Promise<BrokerProcess> {
  if (!existsSync(program)) throw new Error("The broker is not built: run `pnpm build` first.");
  const { KEYLOAN_DATA_DIR: data } = environment;
  const child = fork(program, [], {
    ...(data === undefined ? {} : { cwd: dirname(data) }),
    env: { ...environment },
    execArgv: [...nodeArguments],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const port = await portOf(child, ended, () => output);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    adminToken: environment.KEYLOAN_ADMIN_TOKEN ?? "",
    process: child,
    output: () => output,
    ended,
    stop: () => {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

function portOf(child: ChildProcess, ended: Promise<unknown>, output: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`The broker does not start in time:\n${output()}`));
    }, startTimeoutMs);
    child.on("message", (message: { readonly kind?: string; readonly port?: number }) => {
      if (message.kind !== "ready" || message.port === undefined) return;
      clearTimeout(timer);
      resolve(message.port);
    });
    void ended.then((code) => {
      clearTimeout(timer);
      reject(new Error(`The broker ended with ${code} at its start:\n${output()}`));
    });
  });
}
