import type { Readable } from "node:stream";
import { type Environment, processEnvironment } from "../env.ts";

/** All that a command touches of the world around it, besides files and the broker. */
export type Io = {
  readonly env: Environment;
  readonly stdin: () => Readable;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly stdinIsTerminal: () => boolean;
  readonly stdoutIsTerminal: () => boolean;
  readonly stderrIsTerminal: () => boolean;
  /** Width of the terminal; unlimited when the output goes to a file or a pipe. */
  readonly columns: () => number;
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
};

/** The real streams of this process. Each is opened at its first use, because opening takes time. */
export function processIo(): Io {
  return {
    env: processEnvironment(),
    stdin: () => process.stdin,
    out: (text) => void guarded(process.stdout).write(text),
    err: (text) => void guarded(process.stderr).write(text),
    stdinIsTerminal: () => process.stdin.isTTY === true,
    stdoutIsTerminal: () => process.stdout.isTTY === true,
    stderrIsTerminal: () => process.stderr.isTTY === true,
    columns: () => (process.stdout.isTTY ? (process.stdout.columns ?? 80) : Number.POSITIVE_INFINITY),
    now: () => Date.now(),
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  };
}

// When the reader of a pipe is gone (`keyloan audit | head`), there is nobody left to tell.
function guarded(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  if (stream.listenerCount("error") === 0) {
    stream.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  }
  return stream;
}
