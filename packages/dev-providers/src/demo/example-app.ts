import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { childEnvironment } from "../env.ts";
import { LaunchError } from "../launch-error.ts";
import { workspace } from "../workspace.ts";

export type ExampleApp = { readonly url: string; readonly stop: () => Promise<void> };

export type ExampleOptions = {
  readonly brokerUrl: string;
  readonly buildId: string;
  /** A build token: all that a sandbox gets. */
  readonly token: string;
};

const listenTimeoutMs = 30_000;
const stopTimeoutMs = 8_000;
const selfTestTimeoutMs = 30_000;

/**
 * Starts the example app with `keyloan run`, the real command, and waits until it listens.
 * @throws LaunchError with the app's last lines when it does not
 */
export function startExampleApp({ brokerUrl, buildId, token }: ExampleOptions): Promise<ExampleApp> {
  const keyloan = [process.execPath, workspace.cliProgram, "run", "--build", buildId, "--"];
  return attend(
    [...keyloan, process.execPath, workspace.exampleProgram],
    childEnvironment({ KEYLOAN_URL: brokerUrl, KEYLOAN_TOKEN: token, PORT: "0" }),
  );
}

/**
 * Starts the example app from an env file, without Keyloan, and waits until it listens.
 * @param addresses all that it gets beside the file, PATH and PORT
 * @throws LaunchError with the app's last lines when it does not
 */
export function startOwnExampleApp(
  file: string,
  addresses: Readonly<Record<string, string>>,
): Promise<ExampleApp> {
  const { PATH = "" } = childEnvironment({});
  return attend([process.execPath, `--env-file=${file}`, workspace.exampleProgram], {
    PATH,
    PORT: "0",
    ...addresses,
  });
}

async function attend(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<ExampleApp> {
  const child = spawn(process.execPath, [workspace.attendProgram, ...command], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    // A session of its own: Ctrl-C reaches the demo alone, which then stops the app.
    detached: true,
    env,
  });
  const stop = () => stopGroup(child);
  try {
    return { url: await listeningUrl(child), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Uses a running app over HTTP with the app's own test.
 * @returns how many of its checks passed
 * @throws LaunchError with what it printed when one fails
 */
export async function useExampleApp(app: ExampleApp): Promise<number> {
  const run = promisify(execFile)(process.execPath, [workspace.exampleSelfTest, app.url], {
    env: childEnvironment({}),
    timeout: selfTestTimeoutMs,
  });
  const { stdout } = await run.catch((error: { stdout?: string }) => {
    const failed = (error.stdout ?? "").split("\n").filter((line) => line.startsWith("FAIL"));
    throw new LaunchError("The app's own test fails.", { detail: failed });
  });
  return stdout.split("\n").filter((line) => line.startsWith("ok")).length;
}

async function listeningUrl(child: ChildProcess): Promise<string> {
  let printed = "";
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const read = (chunk: Buffer) => {
    printed += chunk.toString("utf8");
    const url = /^listening on (http:\S+)$/m.exec(printed)?.[1];
    if (url !== undefined) resolve(url);
  };
  child.stdout?.on("data", read);
  child.stderr?.on("data", read);
  const fail = (message: string) =>
    reject(new LaunchError(message, { detail: printed.trim().split("\n").slice(-6) }));
  child.once("error", () => fail("The app cannot be started."));
  child.once("close", () => fail("The app ended before it listened."));
  const timer = setTimeout(() => fail("The app did not listen in time."), listenTimeoutMs);
  return promise.finally(() => clearTimeout(timer));
}

async function stopGroup(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  // Its whole session, because a killed attendant can no longer pass anything on.
  const timer = setTimeout(() => process.kill(-pid, "SIGKILL"), stopTimeoutMs);
  await ended;
  clearTimeout(timer);
}
