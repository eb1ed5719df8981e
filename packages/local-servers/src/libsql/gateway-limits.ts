import { type ByteBudget, createByteBudget } from "./byte-budget.ts";
import { createRequestQueue, type RequestQueue } from "./request-queue.ts";
import { createWebSocketPlaces, type WebSocketPlaces } from "./websocket-places.ts";

/** How much one database may use of the gateway and the server, which all databases share. */
export type GatewayLimits = {
  /** The largest request or message, which is held in memory until it is complete. */
  readonly requestBytesMax: number;
  /** Bytes held at once for all databases together, and for one. */
  readonly heldBytesMax: number;
  readonly heldBytesOfOneMax: number;
  /** How long a request's headers, and a whole request or message, may take to arrive; the answer may take longer. */
  readonly headersTimeoutMs: number;
  readonly arrivalTimeoutMs: number;
  /** Requests of one database that the server handles at once, and that wait, for each kind that has a queue. */
  readonly atOnceMax: number;
  readonly waitingMax: number;
  readonly webSocketsMax: number;
  /** WebSockets that have not shown a token yet, which are counted apart, and how long they may take to show it. */
  readonly strangersMax: number;
  readonly helloTimeoutMs: number;
};

const megabyte = 1024 * 1024;

export const gatewayLimits: GatewayLimits = {
  requestBytesMax: 64 * megabyte,
  heldBytesMax: 256 * megabyte,
  heldBytesOfOneMax: 128 * megabyte,
  headersTimeoutMs: 10_000,
  arrivalTimeoutMs: 30_000,
  atOnceMax: 16,
  waitingMax: 256,
  webSocketsMax: 64,
  strangersMax: 64,
  helloTimeoutMs: 10_000,
};

/** What the requests of one port share. */
export type DatabaseShare = {
  readonly limits: GatewayLimits;
  readonly budget: ByteBudget;
  /**
   * `continued` is for requests that continue a transaction: such a transaction may hold the lock for which the
   * `fresh` requests wait, so it must never wait behind them.
   */
  readonly queues: {
    readonly fresh: RequestQueue;
    readonly continued: RequestQueue;
    readonly webSocket: RequestQueue;
    /** Large requests are judged one after the other. */
    readonly judging: RequestQueue;
  };
  readonly webSockets: WebSocketPlaces;
};

export function createDatabaseShare(limits: GatewayLimits, ofAll: ByteBudget): DatabaseShare {
  const queue = () => createRequestQueue(limits.atOnceMax, limits.waitingMax);
  return {
    limits,
    budget: createByteBudget(limits.heldBytesOfOneMax, ofAll),
    queues: {
      fresh: queue(),
      continued: queue(),
      webSocket: queue(),
      judging: createRequestQueue(1, limits.waitingMax),
    },
    webSockets: createWebSocketPlaces(limits.webSocketsMax, limits.strangersMax),
  };
}
