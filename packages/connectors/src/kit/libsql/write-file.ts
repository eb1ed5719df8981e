import { lstat, mkdtemp, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { explainOutcome } from "./explain-outcome.ts";
import { databaseName } from "./file-process/answers.ts";
import { type RunOptions, runProcess } from "./file-process/run-process.ts";

/**
 * Makes a SQLite file from a dump, which only its owner can read. Indexes over vectors, which only libSQL has, are left
 * out; the vectors themselves are kept. SQL from the dump runs only in a process that can access nothing else
 * (`file-process/`); the calling process never opens the file with SQLite.
 * @throws ProviderError `rejected` for a dump that is cut short or altered, or that SQLite cannot hold; then the file
 * is removed. BrokerError `unavailable` when the process ends unexpectedly. The system's error when the path exists or
 * cannot be written, such as ENOSPC; what reading the dump throws, and the signal's reason
 */
export async function writeFile(
  provider: string,
  dump: AsyncIterable<Uint8Array>,
  path: string,
  options: RunOptions = {},
): Promise<void> {
  await makeEmpty(path);
  // A folder for this process only, beside the file, so that the result can be renamed to the path.
  const folder = await mkdtemp(join(dirname(path), "making-"));
  try {
    const made = join(folder, databaseName);
    await makeEmpty(made);
    const outcome = await runProcess(folder, dump, options);
    const failure = explainOutcome(provider, outcome);
    if (failure !== undefined) throw failure;
    // The process has ended, so the file cannot change after this check.
    const found = await lstat(made).catch(() => undefined);
    if (!found?.isFile() || found.nlink !== 1) throw explainOutcome(provider, { answer: { died: true } });
    await rename(made, path);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function makeEmpty(path: string): Promise<void> {
  await (await open(path, "wx", 0o600)).close();
}
