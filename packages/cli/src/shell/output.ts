import { KeyloanError } from "@keyloan/sdk";
import { CommandError, UsageError } from "./command.ts";
import type { Io } from "./io.ts";
import { paintFor } from "./paint.ts";
import { printable, printableJson, wrap } from "./terminal-text.ts";

/** Prints a value as JSON on stdout. */
export function printJson(io: Io, value: unknown): void {
  io.out(`${printableJson(value)}\n`);
}

/** A line of text on stdout, with nothing in it that a terminal would act on. */
export function say(io: Io, text: string): void {
  io.out(`${printable(text)}\n`);
}

/** A word to the person, on stderr, so that stdout stays clean for programs; a line break before it stays. */
export function note(io: Io, text: string): void {
  const gap = text.startsWith("\n") ? "\n" : "";
  io.err(`${gap}${printable(text).trimStart()}\n`);
}

export function warn(io: Io, text: string): void {
  io.err(`${paintFor(io, "stderr")("yellow", "warning:")} ${printable(text)}\n`);
}

/** Prints what went wrong and what to do about it; gives the exit code: 2 for usage, 1 for the rest. */
export function printFailure(io: Io, json: boolean, error: unknown, helpCommand: string): number {
  const failure = describe(error);
  if (json) {
    io.err(`${printableJson({ error: failure.data }, 0)}\n`);
    return failure.exitCode;
  }
  const paint = paintFor(io, "stderr");
  const lines = wrap(`keyloan: ${failure.message}`, io.columns(), "  ").slice(2);
  io.err(`${lines.replace(/^keyloan:/, (name) => paint("red", name))}\n`);
  for (const line of [failure.remedy ?? [], failure.more].flat()) {
    io.err(`${wrap(line, io.columns(), "  ")}\n`);
  }
  if (error instanceof UsageError) io.err(`  Help: ${helpCommand} --help\n`);
  return failure.exitCode;
}

type Failure = {
  readonly message: string;
  readonly remedy: string | undefined;
  readonly more: readonly string[];
  readonly data: Record<string, unknown>;
  readonly exitCode: number;
};

function describe(error: unknown): Failure {
  if (error instanceof KeyloanError) {
    const { message, remedy } = error;
    return { message, remedy, more: moreOf(error), data: error.toJSON(), exitCode: 1 };
  }
  if (error instanceof UsageError) {
    const { message, remedy } = error;
    return { message, remedy, more: [], data: dataOf("usage", message, remedy), exitCode: 2 };
  }
  if (error instanceof CommandError) {
    const { message, remedy, code, exitCode } = error;
    return { message, remedy, more: [], data: dataOf(code, message, remedy), exitCode };
  }
  const message = `This is a bug in keyloan itself: ${error instanceof Error ? error.message : String(error)}`;
  const remedy = "Please report it with the command you ran.";
  return { message, remedy, more: [], data: dataOf("fault", message, remedy), exitCode: 1 };
}

function dataOf(code: string, message: string, remedy: string | undefined): Record<string, unknown> {
  return { code, message, ...(remedy === undefined ? {} : { remedy }) };
}

function moreOf(error: KeyloanError): string[] {
  const lines: string[] = [];
  for (const [name, value] of Object.entries(error.details ?? {})) lines.push(`${name}: ${shortText(value)}`);
  if (error.retryAfterSeconds !== undefined) lines.push(`Try again in ${error.retryAfterSeconds} seconds.`);
  if (error.docsUrl !== undefined) lines.push(`More: ${error.docsUrl}`);
  if (error.requestId !== undefined) lines.push(`Request id: ${error.requestId}`);
  return lines;
}

function shortText(value: unknown): string {
  if (Array.isArray(value)) return value.map(shortText).join("; ");
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .map(([name, each]) => `${name} ${shortText(each)}`)
    .join(", ");
}
