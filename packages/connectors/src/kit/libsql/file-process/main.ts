import { rmSync, writeFileSync, writeSync } from "node:fs";
import { setPriority } from "node:os";
import { Worker } from "node:worker_threads";
import { type Answer, answerLine, databaseName, type NamedStep, RefusedFile } from "./answers.ts";
import { fillFile } from "./fill-file.ts";

const lowPriority = 5;
const probeBytes = 256 * 1024;

/**
 * Makes a file of the dump that comes in, in the folder it was started in, and answers how it went. Its argument is
 * the process id of who waits for that.
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
    // SQLite says the same of a full disk and of a file that may not grow.
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

/** Written at once: what comes next may never end. */
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

/** A statement can take this thread for as long as it likes, so another one looks whether anybody still waits. */
function endWithParent(): void {
  const watch = `const { workerData: parent } = require("node:worker_threads");
setInterval(() => process.ppid === parent || process.kill(process.pid, "SIGKILL"), 500);`;
  new Worker(watch, { eval: true, workerData: Number(process.argv[2]) }).unref();
}

function yieldToOthers(): void {
  try {
    setPriority(lowPriority);
    // When the machine runs out of memory, this is what has to go.
    writeFileSync("/proc/self/oom_score_adj", "1000");
  } catch {
    // Not every platform has them.
  }
}

await main();
