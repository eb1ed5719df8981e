import { type Logger as PinoLogger, pino } from "pino";
import type { BrokerConfig } from "../env.ts";

export type Logger = Pick<PinoLogger, "debug" | "info" | "warn" | "error">;

/** JSON lines on standard output. Callers pass names and ids only; secrets print as `[secret]` by their own type. */
export function createLogger(level: BrokerConfig["logLevel"]): Logger {
  return pino({ level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` });
}

/** What may be logged of a thrown thing: its kind and where it was thrown, never a provider's or engine's words. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: typeof error };
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {};
  const frames = (error.stack ?? "").split("\n").filter((line) => line.trimStart().startsWith("at "));
  return { error: error.name, ...code, at: frames.slice(0, 6).map((line) => line.trim()) };
}
