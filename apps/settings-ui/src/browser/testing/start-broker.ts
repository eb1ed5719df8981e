import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What the stand-ins do wrong once, to the next request that matches. */
export type Fault = { readonly method?: string; readonly path?: RegExp } & (
  | { readonly kind: "delay"; readonly ms: number }
  | { readonly kind: "status"; readonly status: number; readonly headers?: Record<string, string> }
  | { readonly kind: "cut" }
);

export type UserEnvOptions = {
  readonly mode?: "test" | "live";
  readonly kind?: "good" | "read-only" | "limited" | "wide" | "wrong-pair";
};

/** A broker with stand-ins in a process of its own: the page's layer may not import the broker's. */
export type RunningBroker = {
  readonly url: string;
  readonly createBuild: (body?: Record<string, unknown>) => Promise<string>;
  readonly createLink: (buildId: string, body?: Record<string, unknown>) => Promise<string>;
  readonly closeBuild: (buildId: string) => Promise<number>;
  readonly readEnv: (buildId: string) => Promise<Record<string, string>>;
  /** What another person would type for their own account. */
  readonly createUserEnv: (connector: string, options?: UserEnvOptions) => Promise<Record<string, string>>;
  readonly addFault: (connector: string, fault: Fault, times?: number) => Promise<void>;
  readonly clearFaults: () => Promise<void>;
  /** What an app does with its env. */
  readonly runSql: (env: Env, sql: string) => Promise<readonly Record<string, unknown>[]>;
  readonly putObjects: (env: Env, objects: Readonly<Record<string, string>>) => Promise<void>;
  /** Moves the broker's clock. */
  readonly advance: (ms: number) => Promise<void>;
  /** Does work that comes round, such as ending what was lent, without waiting for its time. */
  readonly runWork: (name: string) => Promise<void>;
  /** Goes back to the lent keys as the admin, and gives the status of the answer. */
  readonly revert: (buildId: string, reason: string) => Promise<number>;
  readonly logs: () => Promise<string>;
  readonly close: () => Promise<void>;
};

type Env = Readonly<Record<string, string>>;
type Answer = { readonly id: number; readonly value?: unknown; readonly problem?: string };

const script = fileURLToPath(new URL("../../../../broker/src/testing/run-test-broker.ts", import.meta.url));

export async function startBroker(): Promise<RunningBroker> {
  // Structured clones, so that a fault may carry a regular expression.
  const child = fork(script, { serialization: "advanced", stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const ready = Promise.withResolvers<unknown>();
  waiting.set(0, ready);
  child.on("message", ({ id, value, problem }: Answer) => {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (problem === undefined) asked?.resolve(value);
    else asked?.reject(new Error(problem));
  });
  child.on("exit", (code) => {
    for (const asked of waiting.values()) asked.reject(new Error(`the test broker ended with ${code}`));
  });
  let last = 0;
  const ask = <T>(command: string, ...args: unknown[]): Promise<T> => {
    const asked = Promise.withResolvers<unknown>();
    last++;
    waiting.set(last, asked);
    child.send({ id: last, command, args });
    // The commands and their answers are typed above; the other side is our own test helper.
    return asked.promise as Promise<T>;
  };
  const url = String(await ready.promise);
  return {
    url,
    createBuild: (body = {}) => ask("createBuild", body),
    createLink: (buildId, body = {}) => ask("createLink", buildId, body),
    closeBuild: (buildId) => ask("closeBuild", buildId),
    readEnv: (buildId) => ask("readEnv", buildId),
    createUserEnv: (connector, options) => ask("createUserEnv", connector, options),
    addFault: (connector, fault, times) => ask("addFault", connector, fault, times),
    clearFaults: () => ask("clearFaults"),
    runSql: (env, sql) => ask("runSql", env, sql),
    putObjects: (env, objects) => ask("putObjects", env, objects),
    advance: (ms) => ask("advance", ms),
    runWork: (name) => ask("runWork", name),
    revert: (buildId, reason) => ask("revert", buildId, reason),
    logs: () => ask("logs"),
    close: async () => {
      if (child.exitCode !== null) return;
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}
