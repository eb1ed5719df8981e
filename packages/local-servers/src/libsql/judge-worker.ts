import { parentPort } from "node:worker_threads";
import { judgeRequest } from "./gateway-judge.ts";
import type { JudgeQuestion } from "./judge-in-turn.ts";

// Large requests are judged in this thread: reading one may take seconds, which would stop the gateway's thread.
parentPort?.on("message", ({ encoding, body }: JudgeQuestion) => {
  parentPort?.postMessage(judgeRequest(encoding, Buffer.from(body.buffer, body.byteOffset, body.byteLength)));
});
