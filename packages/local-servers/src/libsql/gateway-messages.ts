import { Transform } from "node:stream";
import type { Refusal, RequestEncoding } from "./gateway-judge.ts";
import type { GatewayRoute } from "./gateway-rules.ts";
import { judgeInTurn } from "./judge-in-turn.ts";
import { helloBytesMax, tokenInHello } from "./read-hrana.ts";
import { createWebSocketReader, type WebSocketMessage, writeWebSocketFrame } from "./websocket-frames.ts";
import type { WebSocketPlace } from "./websocket-places.ts";

/** The messages that a client sends over a WebSocket, judged on their way to the server. */
export type JudgedMessages = {
  readonly stream: Transform;
  /** Call it with the number of messages that the server sent: each answers one message of the client. */
  readonly onAnswers: (count: number) => void;
  /** Releases everything that is held; call it when the connection has ended. */
  readonly end: () => void;
};

/**
 * Passes on complete messages, with a limit on how many of one database are unanswered. The first has to arrive within
 * `helloTimeoutMs` and contain a token of the database. A refusal calls `onRefusal` once, and nothing passes after it.
 */
export function judgeMessages(
  encoding: RequestEncoding,
  route: GatewayRoute,
  place: WebSocketPlace,
  onRefusal: (reason: string) => void,
): JudgedMessages {
  const { limits, budget, queues } = route.share;
  const reader = createWebSocketReader(limits.requestBytesMax);
  const expected = encoding === "json" ? "text" : "binary";
  const turns: (() => void)[] = [];
  let leaveQueue = () => {};
  let held = 0;
  let late: NodeJS.Timeout | undefined;
  let ended = false;
  let isKnown = false;
  let leaveJudging = () => {};
  const hello = setTimeout(() => refuse("no token was shown in time"), limits.helloTimeoutMs);
  const hold = (bytes: number): boolean => {
    if (bytes > held && !budget.take(bytes - held)) return false;
    if (bytes < held) budget.give(held - bytes);
    held = bytes;
    return true;
  };
  const end = () => {
    ended = true;
    clearTimeout(late);
    clearTimeout(hello);
    hold(0);
    leaveQueue();
    leaveJudging();
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
  /** Why the first message is refused; undefined if its token is valid and a place is left. */
  const meet = (payload: Buffer): string | undefined => {
    const token = tokenInHello(encoding, payload);
    if (token === undefined || !route.isSigned(token)) return "this database wants a token first";
    if (!place.know()) return "this database has too many WebSockets";
    isKnown = true;
    clearTimeout(hello);
    return undefined;
  };
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const wasEmpty = reader.heldBytes() === 0;
      const messages =
        ended || !hold(held + chunk.length) ? tooMuchHeld : readWhole(() => reader.read(chunk));
      if (typeof messages === "string") {
        refuse(messages);
        done();
        return;
      }
      if (!isKnown && messages.length === 0 && reader.heldBytes() > helloBytesMax) {
        refuse("this database wants a token first");
        done();
        return;
      }
      if (wasEmpty || messages.length > 0) expectRest();
      const left = messages.values();
      const pass = ({ opcode, payload }: WebSocketMessage) =>
        this.push(writeWebSocketFrame(opcode, payload, "client"));
      const passNext = (): void => {
        for (const message of left) {
          if (message.kind === "control") {
            pass(message);
            continue;
          }
          const reason =
            message.kind === expected
              ? isKnown
                ? undefined
                : meet(message.payload)
              : `this subprotocol has ${expected} messages`;
          if (reason !== undefined) refuse(reason);
          else {
            const onVerdict = (refusal?: Refusal) => {
              if (refusal !== undefined) refuse(refusal.message);
              if (ended) return;
              passInTurn(() => {
                pass(message);
                passNext();
              });
            };
            const onWait = (leave: () => void) => {
              leaveJudging = leave;
            };
            judgeInTurn(route, encoding, message.payload, { onWait, onVerdict });
          }
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

/** The messages that are complete by now, or the reason why they cannot be read. */
function readWhole(read: () => readonly WebSocketMessage[]): readonly WebSocketMessage[] | string {
  try {
    return read();
  } catch (error) {
    return error instanceof Error ? error.message : "the message cannot be read";
  }
}
