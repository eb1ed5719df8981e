import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

export type Child = {
  /** What it says next. */
  readonly next: <T>() => Promise<T>;
  readonly send: (message: object) => void;
  /** Resolves when it has ended. */
  readonly stop: () => Promise<void>;
};

/** A script in a process of its own, which ends when this one does. */
export function startChild(script: URL, ...args: readonly string[]): Child {
  const path = fileURLToPath(script);
  const child = fork(path, [...args], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    next: <T>() =>
      new Promise<T>((resolve, reject) => {
        const ended = () => reject(new Error(`${path} ended early`));
        child.once("exit", ended);
        // Whoever starts a script knows what it says.
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
