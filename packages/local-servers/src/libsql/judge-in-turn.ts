import { Worker } from "node:worker_threads";
import { judgeRequest, type Refusal, type RequestEncoding } from "./gateway-judge.ts";
import type { GatewayRoute } from "./gateway-rules.ts";

/** One request that is sent to the judging thread. */
export type JudgeQuestion = { readonly encoding: RequestEncoding; readonly body: Uint8Array };

/** Judges large requests in a thread, one after the other. */
export type Judge = {
  readonly judge: (encoding: RequestEncoding, body: Buffer, onVerdict: (refusal?: Refusal) => void) => void;
  readonly close: () => Promise<void>;
};

/** Judging a request of this size takes a few milliseconds at most. */
const smallBytesMax = 64 * 1024;
/** The memory that JavaScript needs to read 64 MiB. Exceeding it ends only this thread. */
const threadMegabytesMax = 2_048;

const notJudged: Refusal = {
  status: 503,
  message: "this request could not be judged: try again in a moment",
};

/** Callbacks for one request. */
export type Judged = {
  /** Called when a large request enters the queue, with a function that gives up its place there. */
  readonly onWait: (leave: () => void) => void;
  readonly onVerdict: (refusal?: Refusal) => void;
};

/**
 * Judges a request to a database: a small one immediately; large ones one after the other for each database, so that
 * databases take turns and a request waits for at most one large request of each other database.
 */
export function judgeInTurn(
  { judge, share }: Pick<GatewayRoute, "judge" | "share">,
  encoding: RequestEncoding,
  body: Buffer,
  { onWait, onVerdict }: Judged,
): void {
  if (body.length <= smallBytesMax) {
    onVerdict(judgeRequest(encoding, body));
    return;
  }
  let isBegun = false;
  const leave = share.queues.judging.enter((end) => {
    isBegun = true;
    judge.judge(encoding, body, (refusal) => {
      end();
      onVerdict(refusal);
    });
  });
  if (leave === undefined) onVerdict(tooManyWait);
  // A request that is being judged keeps its turn: the thread stays busy with it even if the client is gone.
  else onWait(() => (isBegun ? undefined : leave()));
}

export const tooManyWait: Refusal = {
  status: 503,
  message: "too many requests of this database wait already: try again in a moment",
};

export function createJudge(): Judge {
  const waiting: { readonly question: JudgeQuestion; readonly onVerdict: (refusal?: Refusal) => void }[] = [];
  let thread: Worker | undefined;
  const answerFirst = (refusal: Refusal | undefined) => {
    waiting.shift()?.onVerdict(refusal);
    askNext();
  };
  const start = (): Worker => {
    const started = new Worker(new URL("judge-worker.ts", import.meta.url), {
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: threadMegabytesMax },
    });
    started.on("message", answerFirst);
    // The handler of `exit` follows and reports it.
    started.on("error", () => {});
    started.once("exit", () => {
      if (thread !== started) return;
      thread = undefined;
      answerFirst(notJudged);
    });
    started.unref();
    return started;
  };
  const askNext = () => {
    const [next] = waiting;
    if (next === undefined) return;
    thread ??= start();
    thread.postMessage(next.question);
  };
  return {
    judge: (encoding, body, onVerdict) => {
      waiting.push({ question: { encoding, body }, onVerdict });
      if (waiting.length === 1) askNext();
    },
    close: async () => {
      const ended = thread;
      thread = undefined;
      await ended?.terminate();
      for (const { onVerdict } of waiting.splice(0)) onVerdict(notJudged);
    },
  };
}
