import type { Client } from "@keyloan/sdk";
import type { Caller } from "@keyloan/sdk/parts";
import type { Io } from "./io.ts";

export type OptionSpec = {
  readonly type: "text" | "flag";
  /** May be given several times. */
  readonly multiple?: boolean;
  /** How the value is called in the help text. */
  readonly value?: string;
  readonly help: string;
};

export type Command = {
  /** What stands after `keyloan`. */
  readonly usage: string;
  readonly summary: string;
  /** Paragraphs of the help text. */
  readonly notes?: readonly string[];
  readonly options?: Readonly<Record<string, OptionSpec>>;
  /** Names of the positional arguments; `[name]` is optional. */
  readonly positionals?: readonly string[];
  /** All after `--` is another program's command line. */
  readonly passesRest?: boolean;
  readonly examples: readonly string[];
  /** Gives the exit code. */
  readonly run: (invocation: Invocation) => Promise<number> | number;
};

export type Arguments = {
  readonly text: (option: string) => string | undefined;
  readonly texts: (option: string) => readonly string[];
  readonly flag: (option: string) => boolean;
  readonly positionals: readonly string[];
  /** What stands after `--`. */
  readonly rest: readonly string[];
};

export type Invocation = {
  readonly args: Arguments;
  readonly io: Io;
  readonly json: boolean;
  /** The client for the broker that the environment names. */
  readonly connect: () => Client;
  /** The same, one level below. */
  readonly connectCaller: (needsToken?: boolean) => Caller;
};

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly remedy: string | undefined;

  constructor(message: string, remedy?: string) {
    super(message);
    this.remedy = remedy;
  }
}

/** Something failed that is neither the broker's nor the command line's fault: exit code 1. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly code: string;
  readonly remedy: string;
  readonly exitCode: number;

  constructor(code: string, message: string, remedy: string, exitCode = 1) {
    super(message);
    this.code = code;
    this.remedy = remedy;
    this.exitCode = exitCode;
  }
}
