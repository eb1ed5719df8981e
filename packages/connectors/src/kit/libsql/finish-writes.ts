import { setTimeout as delay } from "node:timers/promises";
import { ProviderError } from "@keyloan/contract";
import { refusedValues } from "./errors.ts";
import { type LibsqlDatabase, runPipeline } from "./pipeline.ts";

/** The server ends a transaction by itself after five seconds; one statement may take longer. */
const timeoutMs = 60_000;
const transactionMsMax = 10_000;

/**
 * Waits for whoever writes, by taking the lock for writing and giving it back. The server lets this through while writes are
 * blocked; where one does not, it waits as long as a transaction may last.
 * @throws ProviderError `unavailable` when somebody goes on writing
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
