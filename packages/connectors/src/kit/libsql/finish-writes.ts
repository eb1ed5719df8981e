import { setTimeout as delay } from "node:timers/promises";
import { ProviderError } from "@keyloan/contract";
import { refusedValues } from "./errors.ts";
import { type LibsqlDatabase, runPipeline } from "./pipeline.ts";

/** The server ends a transaction by itself after five seconds; one statement may take longer. */
const timeoutMs = 60_000;
const transactionMsMax = 10_000;

/**
 * Waits for running writes to end, by taking and releasing the write lock. The server allows this while writes are
 * blocked; if it answers `BLOCKED` instead, this waits `waitMs`, the longest time of a transaction.
 * @throws ProviderError `unavailable` when something keeps writing
 */
export async function finishWrites(database: LibsqlDatabase, waitMs = transactionMsMax): Promise<void> {
  const { provider, context } = database;
  const answer = await runPipeline(database, ["BEGIN IMMEDIATE", "ROLLBACK"], timeoutMs);
  if (answer.results === undefined) throw refusedValues(provider, answer.status);
  const [begun] = answer.results;
  if (begun?.ok === true) return;
  if (begun?.code !== "BLOCKED")
    throw new ProviderError(provider, "unavailable", "is still being written to");
  await delay(waitMs, undefined, { signal: context.signal });
}
