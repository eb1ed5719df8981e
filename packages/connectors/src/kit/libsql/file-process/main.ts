import { rmSync, writeFileSync, writeSync } from "node:fs";
import { setPriority } from "node:os";
import { Worker } from "node:worker_threads";
import { type Answer, answerLine, databaseName, type NamedStep, RefusedFile } from "./answers.ts";
import { fillFile } from "./fill-file.ts";

const lowPriority = 5;
const probeBytes = 256 * 1024;

/**
 * Makes a file from the dump on standard input, in its working directory, and writes to standard output how that went.
 * Its argument is the id of the process that waits for the answer.
 */
async function main(): Promise<void> {
  endWithParent();
  yieldToOthers();
  say(await make());
  process.exit();
}

async function make(): Promise<Answer> {
  try {
    await fillFile(databaseName, process.stdin, sayNext());
    return { made: true };
  } catch (error) {
    if (!(error instanceof RefusedFile)) throw error;
    const { refusal } = error;
    // SQLite gives the same error for a full disk and for a file that reached its limit.
    if ("reason" in refusal && refusal.reason === "large_file" && isDiskFull()) return { reason: "no_room" };
    return refusal;
  }
}

function sayNext(): (step: NamedStep) => void {
  let last = "";
  return ({ kind, name }) => {
    const line = answerLine({ at: { kind, name } });
    if (line !== last) writeSync(1, line);
    last = line;
  };
}

/** Writes synchronously, so that the answer is written before the process exits. */
function say(answer: Answer): void {
  writeSync(1, answerLine(answer));
}

function isDiskFull(): boolean {
  try {
    writeFileSync("probe", Buffer.alloc(probeBytes));
    return false;
  } catch {
    return true;
  } finally {
    rmSync("probe", { force: true });
  }
}

/** A statement can block this thread for any time, so another thread checks whether the parent still exists. */
function endWithParent(): void {
  const watch = `const { workerData: parent } = require("node:worker_threads");
setInterval(() => process.ppid === parent || process.kill(process.pid, "SIGKILL"), 500);`;
  new Worker(watch, { eval: true, workerData: Number(process.argv[2]) }).unref();
}

function yieldToOthers(): void {
  try {
    setPriority(lowPriority);
    // If the machine runs out of memory, the system ends this process first.
    writeFileSync("/proc/self/oom_score_adj", "1000");
  } catch {
    // Not every platform has priorities or this file.
  }
}

await main();
