import { rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { processLives } from "../processes/process-lives.ts";
import { readJsonFile, writePrivateFile } from "./private-file.ts";

const pid = z.number().int().min(2);
const runningSchema = z.object({
  pid,
  url: z.string().optional(),
  childPids: z.array(pid).readonly(),
});

export type Running = z.output<typeof runningSchema>;

const goneTimeoutMs = 8_000;

export function readRunning(file: string): Running | undefined {
  return readJsonFile(file, runningSchema);
}

export function writeRunning(file: string, running: Running): void {
  writePrivateFile(file, JSON.stringify(running));
}

export function forgetRunning(file: string): void {
  rmSync(file, { force: true });
}

/**
 * Waits until the children of a launcher that was killed have ended: they notice by themselves, and
 * until then they hold the ports. Gives up silently after 8 seconds; a port that is still held says so.
 */
export async function waitForOrphans(file: string): Promise<void> {
  const orphans = readRunning(file)?.childPids ?? [];
  const deadline = performance.now() + goneTimeoutMs;
  while (orphans.some(processLives) && performance.now() < deadline) await delay(20);
}
