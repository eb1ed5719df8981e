import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from "node:fs";
import { childEnvironment } from "../env.ts";
import { LaunchError } from "../launch-error.ts";
import { type ChildMessage, childMessageSchema } from "./messages.ts";

export type ChildOptions = {
  /** In sentences, such as `The broker`. */
  readonly name: string;
  readonly program: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Sent at once. */
  readonly order?: object;
};

/** A child process that ends with this one. */
export type Child = {
  readonly pid: number;
  /** Its first message. Rejects with a LaunchError when it fails, ends or stays silent. */
  readonly answer: Promise<ChildMessage>;
  /**
   * Asks it something after its first message, one question at a time.
   * @throws LaunchError when it fails, ends or stays silent
   */
  readonly ask: (question: object) => Promise<ChildMessage>;
  /** Settles when it has ended for whatever reason, with what to say if nobody wanted that. */
  readonly ended: Promise<LaunchError>;
  /** Asks it to end; after 6 seconds, or at once when `now`, it is killed. */
  readonly stop: (now?: boolean) => Promise<void>;
};

const answerTimeoutMs = 40_000;
const stopTimeoutMs = 6_000;
const logBytesMax = 5_000_000;

/**
 * Starts a program of this workspace with the Node that runs this one. It lives in a session of its own:
 * Ctrl-C reaches the launcher alone, which then stops its children in order. The channel between the two
 * closes when the launcher dies, and that ends the child.
 */
export function startChild(options: ChildOptions): Child {
  const log = openLog(options.logFile);
  const child = spawn(process.execPath, [options.program], {
    stdio: ["ignore", log.descriptor, log.descriptor, "ipc"],
    env: childEnvironment(options.env ?? {}),
    detached: true,
  });
  const ended = new Promise<LaunchError>((resolve) => {
    child.once("error", () => resolve(new LaunchError(`${options.name} cannot be started.`)));
    child.once("exit", (code, signal) => {
      const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
      const detail = log.lastLines();
      log.close();
      resolve(
        new LaunchError(`${options.name} has ended ${how}; its log is ${options.logFile}.`, { detail }),
      );
    });
  });
  const answer = nextMessage(child, options.name, ended);
  // Whoever awaits it gets the failure; when a stop comes first, nobody does.
  answer.catch(() => {});
  if (options.order !== undefined) child.send(options.order, () => {});
  const ask = (question: object) => {
    const told = nextMessage(child, options.name, ended);
    child.send(question, () => {});
    return told;
  };
  return { pid: child.pid ?? 0, answer, ask, ended, stop: (now) => stopChild(child, ended, now) };
}

async function nextMessage(
  child: ChildProcess,
  name: string,
  ended: Promise<LaunchError>,
): Promise<ChildMessage> {
  let timer: NodeJS.Timeout | undefined;
  const message = await Promise.race([
    new Promise<unknown>((resolve) => child.once("message", resolve)),
    ended,
    new Promise<LaunchError>((resolve) => {
      const silent = new LaunchError(`${name} did not answer within ${answerTimeoutMs / 1000} seconds.`);
      timer = setTimeout(() => resolve(silent), answerTimeoutMs);
    }),
  ]);
  clearTimeout(timer);
  if (message instanceof LaunchError) throw startFailure(name, message);
  const parsed = childMessageSchema.parse(message);
  if (parsed.kind === "failed") throw new LaunchError(parsed.message);
  return parsed;
}

function startFailure(name: string, end: LaunchError): LaunchError {
  const [line, ...more] = end.detail;
  // A program that cannot start says why in its last words; one line of them is the whole story.
  return line === undefined || more.length > 0 ? end : new LaunchError(`${name} does not start: ${line}`);
}

async function stopChild(child: ChildProcess, ended: Promise<unknown>, now = false): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill(now ? "SIGKILL" : "SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
  await ended;
  clearTimeout(timer);
}

function openLog(file: string) {
  const descriptor = openSync(file, "a+", 0o600);
  if (fstatSync(descriptor).size > logBytesMax) ftruncateSync(descriptor);
  const begin = fstatSync(descriptor).size;
  return {
    descriptor,
    close: () => closeSync(descriptor),
    /** The last lines that this child wrote. */
    lastLines: (): readonly string[] => {
      const { size } = fstatSync(descriptor);
      const from = Math.max(begin, size - 2_000);
      const buffer = Buffer.alloc(size - from);
      readSync(descriptor, buffer, 0, buffer.length, from);
      const lines = withoutSecrets(buffer.toString("utf8")).trim().split("\n");
      // Of a crash, the words are of use here, and where it happened is in the log.
      return lines.filter((line) => line !== "" && !/^\s+at |^Node\.js v/.test(line)).slice(-5);
    },
  };
}

// Neither program prints a secret; an engine's own words in a crash could.
function withoutSecrets(text: string): string {
  return text.replace(/\b(klo_[a-z]+_|[rs]k_(?:test|live)_|whsec_|eyJ)[\w.-]+/g, "$1…");
}
