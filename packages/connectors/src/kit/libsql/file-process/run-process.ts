import { once } from "node:events";
import { type Answer, answerCharactersMax, answerSchema, type NamedStep } from "./answers.ts";
import {
  type FileProcess,
  killProcess,
  processEnd,
  type StartOptions,
  startProcess,
} from "./start-process.ts";
import {
  type EndedFor,
  type FileLimits,
  type ProcessWatch,
  usualLimits,
  watchProcess,
} from "./watch-process.ts";

export type RunOptions = StartOptions & {
  readonly limits?: FileLimits;
  /** Ends the process at once. */
  readonly signal?: AbortSignal;
};

/** How the making of a file ended, and at which step. */
export type Outcome = {
  readonly answer:
    | Exclude<Answer, { readonly at: NamedStep }>
    | { readonly endedFor: EndedFor }
    | { readonly died: true };
  readonly at?: NamedStep;
};

/**
 * Lets a process make a file from a dump, in a folder of its own. Whatever the process does, this call ends soon after
 * the time limit, and the process has ended by then.
 * @throws what reading the dump throws, and the signal's reason
 */
export async function runProcess(
  folder: string,
  dump: AsyncIterable<Uint8Array>,
  { limits = usualLimits, signal, ...start }: RunOptions,
): Promise<Outcome> {
  signal?.throwIfAborted();
  const child = await startProcess(folder, start);
  if (child === undefined) return { answer: { died: true } };
  const closed = processEnd(child);
  const kill = () => killProcess(child);
  signal?.addEventListener("abort", kill, { once: true });
  const watch = watchProcess(child, folder, limits);
  const answers = readAnswers(child, () => answersMax + answersPerByte * watch.bytes(), kill);
  try {
    await give(child, dump, watch, closed);
    await closed;
    signal?.throwIfAborted();
    const endedFor = watch.endedFor();
    return { ...answers.at(), answer: endedFor === undefined ? answers.last() : { endedFor } };
  } finally {
    kill();
    await closed;
    watch.stop();
    signal?.removeEventListener("abort", kill);
  }
}

/** Writes the dump to the process, no faster than the process reads it, until either ends. */
async function give(
  { stdin }: FileProcess,
  dump: AsyncIterable<Uint8Array>,
  watch: ProcessWatch,
  closed: Promise<void>,
): Promise<void> {
  // The process may end before it has read everything; its last answer then counts.
  stdin.on("error", () => undefined);
  const chunks = dump[Symbol.asyncIterator]();
  const orOver = untilOver(closed);
  for (;;) {
    const next = await orOver(chunks.next());
    if (next === undefined || next.done) break;
    watch.given(next.value.length);
    if (stdin.write(next.value)) continue;
    watch.waitsForUs(false);
    await orOver(once(stdin, "drain").catch(() => undefined));
    watch.waitsForUs(true);
  }
  watch.waitsForUs(false);
  stdin.end();
  // If the next chunk is still being read, the dump ends after that.
  void chunks.return?.()?.catch(() => undefined);
}

/**
 * Returns a function that waits for a promise, or resolves to `undefined` once `over` has resolved. `Promise.race`
 * would keep every result in memory until `over` resolves.
 */
function untilOver(over: Promise<void>): <T>(awaited: Promise<T>) => Promise<T | undefined> {
  let isOver = false;
  let giveUp = () => {};
  void over.then(() => {
    isOver = true;
    giveUp();
  });
  return (awaited) =>
    new Promise((resolve, reject) => {
      giveUp = () => resolve(undefined);
      if (isOver) giveUp();
      awaited.then(resolve, reject);
    });
}

// The process names only what lines of the dump name, and each of them a few times at most.
const answersMax = 64 * 1024;
const answersPerByte = 4;

/** Reads the answers of the process, and kills it if it writes anything that is not an answer. */
function readAnswers({ stdout }: FileProcess, charactersMax: () => number, kill: () => void) {
  let text = "";
  let characters = 0;
  let isGarbage = false;
  let at: NamedStep | undefined;
  let last: Exclude<Answer, { readonly at: NamedStep }> | undefined;
  const take = (line: string) => {
    const answer = answerSchema.safeParse(parse(line)).data;
    if (answer === undefined || last !== undefined) isGarbage = true;
    else if ("at" in answer) at = answer.at;
    else last = answer;
  };
  stdout.setEncoding("utf8");
  stdout.on("data", (chunk: string) => {
    if (isGarbage) return;
    characters += chunk.length;
    const lines = (text + chunk).split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) take(line);
    isGarbage ||= text.length > answerCharactersMax || characters > charactersMax();
    if (isGarbage) kill();
  });
  return {
    at: () => (at === undefined ? {} : { at }),
    last: () => (isGarbage || text !== "" || last === undefined ? { died: true as const } : last),
  };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
