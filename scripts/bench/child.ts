import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

export type Child = {
  readonly process: ChildProcess;
  /** What it says next. */
  readonly next: <T>() => Promise<T>;
  readonly send: (message: object) => void;
  /** Resolves when it has ended. */
  readonly stop: () => Promise<void>;
};

/** A script beside this one in a process of its own, which ends when this one does. */
export function startChild(script: string, ...args: readonly string[]): Child {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), [...args], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    process: child,
    next: <T>() =>
      new Promise<T>((resolve, reject) => {
        const ended = () => reject(new Error(`${script} ended early`));
        child.once("exit", ended);
        // Both ends of the channel are in this folder and agree on what is said.
        child.once("message", (message) => {
          child.off("exit", ended);
          resolve(message as T);
        });
      }),
    send: (message) => void child.send(message),
    stop: () => {
      if (child.connected) child.disconnect();
      return exited;
    },
  };
}
