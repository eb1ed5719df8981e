import type { ChildProcess } from "node:child_process";
import { type BrokerProcess as Process, programIn, startBrokerProcess as start } from "@keyloan/test-kit";
import { runtime } from "./build-broker.ts";
import type { FaultAnswer, FaultCommand, Point } from "./points.ts";

/** One broker in a process of its own, instrumented. */
export type BrokerProcess = Pick<Process, "url" | "output" | "ended"> & {
  readonly pid: number;
  /** Counts what is passed from now on. */
  readonly record: () => Promise<void>;
  readonly passes: () => Promise<Readonly<Record<string, number>>>;
  readonly killAt: (point: Point) => Promise<void>;
  /** Kills it nowhere any more. */
  readonly spare: () => Promise<void>;
  /** Moves its clock. */
  readonly advance: (ms: number) => Promise<void>;
  readonly alive: () => boolean;
  readonly kill: () => Promise<void>;
};

/**
 * @param built the folder of an instrumented broker
 * @throws Error with its output when the broker does not start
 */
export async function startBrokerProcess(
  built: string,
  environment: Readonly<Record<string, string>>,
): Promise<BrokerProcess> {
  const nodeArguments = ["--import", runtime, "--disable-warning=ExperimentalWarning"];
  const { process: child, url, output, ended } = await start(programIn(built), environment, nodeArguments);
  const ask = <Answer extends FaultAnswer>(command: FaultCommand): Promise<Answer> =>
    askChild(child, command);
  return {
    url,
    pid: child.pid ?? 0,
    output,
    ended,
    record: async () => void (await ask({ fault: "record" })),
    passes: async () => (await ask<FaultAnswer & { fault: "points" }>({ fault: "list" })).passes,
    killAt: async (point) => void (await ask({ fault: "kill_at", point })),
    spare: async () => void (await ask({ fault: "spare" })),
    advance: async (ms) => void (await ask({ fault: "advance", ms })),
    alive: () => child.exitCode === null && child.signalCode === null,
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
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
