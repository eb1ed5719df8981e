import { type ChildProcess, spawn } from "node:child_process";
import { CommandError } from "./command.ts";

const passedSignals = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGABRT",
  "SIGWINCH",
] as const satisfies readonly NodeJS.Signals[];

// Ending by one of these leaves no core dump, which would hold this process's memory.
const repeatable: ReadonlySet<string> = new Set([
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGKILL",
  "SIGALRM",
  "SIGUSR2",
]);

/**
 * To be called before {@link runChild}. Node opens its own stderr when a socket closes, and thereby makes
 * a pipe there non-blocking: for the command too, whose writes would then fail when the reader is slow.
 * Opened before the command starts, it is made blocking again by the start.
 */
export function settleStreams(): void {
  process.stderr.on("error", () => undefined);
}

/**
 * Runs a command in place of this process, as far as anyone can see: same streams, same signals, and
 * its end is ours. Gives the exit code; when a signal ended the command, this process ends by it too.
 * @throws CommandError with exit code 127 (not found) or 126 (cannot be run)
 */
export function runChild(
  file: string,
  args: readonly string[],
  env: Record<string, string | undefined>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    // Listening starts first: a signal that comes while the command starts must not leave it alone.
    const child: { current?: ChildProcess } = {};
    const listeners = passedSignals.map((signal) => {
      const listener = () => void passOn(signal, child.current);
      process.on(signal, listener);
      return () => process.removeListener(signal, listener);
    });
    const stopListening = () => {
      for (const stop of listeners) stop();
    };
    const fail = (error: unknown) => {
      stopListening();
      reject(startError(file, error));
    };
    try {
      child.current = spawn(file, args, { stdio: "inherit", env });
    } catch (error) {
      fail(error);
      return;
    }
    child.current.on("error", (error) => {
      // A signal that could not be passed on also ends up here; the command is running all the same.
      if (child.current?.pid === undefined) fail(error);
    });
    child.current.on("exit", (code, signal) => {
      stopListening();
      if (code !== null) resolve(code);
      else resolve(endBy(signal ?? "SIGKILL"));
    });
  });
}

async function passOn(signal: NodeJS.Signals, child: ChildProcess | undefined): Promise<void> {
  // The keyboard's signals and a new window size reach every process of the terminal's foreground
  // group, so the command has had them; twice the interrupt makes many programs give up at once.
  const fromKeyboard = signal === "SIGINT" || signal === "SIGQUIT" || signal === "SIGWINCH";
  if (fromKeyboard && (await hasTerminal())) return;
  child?.kill(signal);
}

async function hasTerminal(): Promise<boolean> {
  const { isatty } = await import("node:tty");
  return isatty(0) || isatty(1) || isatty(2);
}

async function endBy(signal: NodeJS.Signals): Promise<number> {
  if (repeatable.has(signal)) process.kill(process.pid, signal);
  const { constants } = await import("node:os");
  return 128 + constants.signals[signal];
}

function startError(file: string, error: unknown): CommandError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOENT" && file.includes("/")) {
    return new CommandError(
      "command_not_found",
      `The command ${file} does not exist, or the interpreter in its first line does not.`,
      "Check the path and the first line of the file.",
      127,
    );
  }
  if (code === "ENOENT") {
    return new CommandError(
      "command_not_found",
      `The command "${file}" was not found.`,
      "Check the spelling, and that its folder is in PATH. Options for the command go after its name.",
      127,
    );
  }
  if (code === "EACCES") {
    return new CommandError(
      "command_not_executable",
      `The command ${file} cannot be executed.`,
      `If it is a script, make it executable with chmod +x, or start it with its interpreter.`,
      126,
    );
  }
  if (code === "E2BIG") {
    return new CommandError(
      "command_not_executable",
      "The arguments and the environment together are too large for the operating system.",
      "Pass fewer or shorter arguments.",
      126,
    );
  }
  const message = `The command ${file} cannot be started${code === "" ? "" : ` (${code})`}.`;
  return new CommandError("command_not_executable", message, "Check the command and its arguments.", 126);
}
