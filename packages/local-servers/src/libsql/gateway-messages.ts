import { Transform } from "node:stream";
import { judgeRequest, type RequestEncoding } from "./gateway-judge.ts";
import type { DatabaseShare } from "./gateway-limits.ts";
import { createWebSocketReader, type WebSocketMessage, writeWebSocketFrame } from "./websocket-frames.ts";

/** What a client sends over a WebSocket, on its way to the server. */
export type JudgedMessages = {
  readonly stream: Transform;
  /** Told of the server's messages: each answers one of the client's. */
  readonly onAnswers: (count: number) => void;
  /** Gives back all that is held once the connection has ended. */
  readonly end: () => void;
};

/**
 * Passes whole messages on, only so many of one database before the first is answered; at the first that
 * may not pass it says why, and passes nothing any more.
 */
export function judgeMessages(
  encoding: RequestEncoding,
  { limits, budget, queues }: DatabaseShare,
  onRefusal: (reason: string) => void,
): JudgedMessages {
  const reader = createWebSocketReader(limits.requestBytesMax);
  const turns: (() => void)[] = [];
  let leaveQueue = () => {};
  let held = 0;
  let late: NodeJS.Timeout | undefined;
  let ended = false;
  const hold = (bytes: number): boolean => {
    if (bytes > held && !budget.take(bytes - held)) return false;
    if (bytes < held) budget.give(held - bytes);
    held = bytes;
    return true;
  };
  const end = () => {
    ended = true;
    clearTimeout(late);
    hold(0);
    leaveQueue();
    for (const endTurn of turns.splice(0)) endTurn();
  };
  const refuse = (reason: string) => {
    if (ended) return;
    end();
    onRefusal(reason);
  };
  const expectRest = () => {
    clearTimeout(late);
    if (reader.heldBytes() === 0) return;
    late = setTimeout(() => refuse("the message did not come whole in time"), limits.arrivalTimeoutMs);
  };
  const passInTurn = (pass: () => void): void => {
    let begun = false;
    const leave = queues.webSocket.enter((endTurn) => {
      begun = true;
      turns.push(endTurn);
      pass();
    });
    if (leave === undefined) refuse("too many messages of this database wait already");
    else if (!begun) leaveQueue = leave;
  };
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (ended) {
        done();
        return;
      }
      const wasEmpty = reader.heldBytes() === 0;
      const messages = hold(held + chunk.length)
        ? readJudged(() => reader.read(chunk), encoding)
        : tooMuchHeld;
      if (typeof messages === "string") {
        refuse(messages);
        done();
        return;
      }
      if (wasEmpty || messages.length > 0) expectRest();
      const left = messages.values();
      const passNext = (): void => {
        for (const { kind, opcode, payload } of left) {
          const pass = () => this.push(writeWebSocketFrame(opcode, payload, "client"));
          if (kind === "control") {
            pass();
            continue;
          }
          passInTurn(() => {
            pass();
            passNext();
          });
          return;
        }
        hold(reader.heldBytes());
        done();
      };
      passNext();
    },
  });
  return {
    stream,
    onAnswers: (count) => {
      for (const endTurn of turns.splice(0, count)) endTurn();
    },
    end,
  };
}

const tooMuchHeld = "the database server holds too many large messages";

/** Whole messages that may pass, or why one of them may not. */
function readJudged(
  read: () => readonly WebSocketMessage[],
  encoding: RequestEncoding,
): readonly WebSocketMessage[] | string {
  let messages: readonly WebSocketMessage[];
  try {
    messages = read();
  } catch (error) {
    return error instanceof Error ? error.message : "the message cannot be read";
  }
  const expected = encoding === "json" ? "text" : "binary";
  for (const { kind, payload } of messages) {
    if (kind === "control") continue;
    if (kind !== expected) return `this subprotocol has ${expected} messages`;
    const refusal = judgeRequest(encoding, payload);
    if (refusal !== undefined) return refusal.message;
  }
  return messages;
}
