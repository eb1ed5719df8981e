import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { runtime } from "./build-broker.ts";
import type { FaultAnswer, FaultCommand, Point } from "./points.ts";

/** One broker in a process of its own, instrumented. */
export type BrokerProcess = {
  readonly url: string;
  readonly pid: number;
  /** Everything it has written. */
  readonly output: () => string;
  /** Counts what is passed from now on. */
  readonly record: () => Promise<void>;
  readonly passes: () => Promise<Readonly<Record<string, number>>>;
  readonly killAt: (point: Point) => Promise<void>;
  /** Kills it nowhere any more. */
  readonly spare: () => Promise<void>;
  /** Moves its clock. */
  readonly advance: (ms: number) => Promise<void>;
  /** Resolves when it has ended, however. */
  readonly ended: Promise<void>;
  readonly alive: () => boolean;
  readonly kill: () => Promise<void>;
};

const startTimeoutMs = 30_000;

/**
 * @param built the folder of an instrumented broker
 * @throws Error with its output when the broker does not start
 */
export async function startBrokerProcess(
  built: string,
  environment: Readonly<Record<string, string>>,
): Promise<BrokerProcess> {
  const child = fork(join(built, "main.js"), [], {
    env: { ...environment },
    execArgv: ["--import", runtime, "--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
    });
  }
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const port = await portOf(child, ended, () => output);
  const ask = <Answer extends FaultAnswer>(command: FaultCommand): Promise<Answer> =>
    askChild(child, command);
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    output: () => output,
    record: async () => void (await ask({ fault: "record" })),
    passes: async () => (await ask<FaultAnswer & { fault: "points" }>({ fault: "list" })).passes,
    killAt: async (point) => void (await ask({ fault: "kill_at", point })),
    spare: async () => void (await ask({ fault: "spare" })),
    advance: async (ms) => void (await ask({ fault: "advance", ms })),
    ended,
    alive: () => child.exitCode === null && child.signalCode === null,
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function portOf(child: ChildProcess, ended: Promise<void>, output: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`the broker does not start in time:\n${output()}`));
    }, startTimeoutMs);
    child.on("message", (message: { readonly kind?: string; readonly port?: number }) => {
      if (message.kind !== "ready" || message.port === undefined) return;
      clearTimeout(timer);
      resolve(message.port);
    });
    void ended.then(() => {
      clearTimeout(timer);
      reject(new Error(`the broker ended at its start:\n${output()}`));
    });
  });
}

function askChild<Answer>(child: ChildProcess, command: FaultCommand): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void) => {
      child.off("message", answer).off("exit", gone);
      settle();
    };
    // Both ends of the channel are in this folder and agree on what is said.
    const answer = (message: object) => {
      if ("fault" in message) done(() => resolve(message as Answer));
    };
    const gone = () => done(() => reject(new Error("the broker has ended")));
    child.on("message", answer).once("exit", gone);
    child.send(command);
  });
}
