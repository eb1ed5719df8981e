import { type ByteBudget, createByteBudget } from "./byte-budget.ts";
import { createRequestQueue, type RequestQueue } from "./request-queue.ts";
import { createWebSocketPlaces, type WebSocketPlaces } from "./websocket-places.ts";

/** What one database may take of the gateway and of the server, which others use too. */
export type GatewayLimits = {
  /** Of a request or a message, which is held in memory until it is whole. */
  readonly requestBytesMax: number;
  /** Held for all databases together, and for one. */
  readonly heldBytesMax: number;
  readonly heldBytesOfOneMax: number;
  /** For a request's headers, and for all of it or of a message to arrive; its answer may take longer. */
  readonly headersTimeoutMs: number;
  readonly arrivalTimeoutMs: number;
  /** Of one database at the server, for each kind of request that has a queue. */
  readonly atOnceMax: number;
  readonly waitingMax: number;
  readonly webSocketsMax: number;
  /** Those that have not shown a token yet, in a share of their own, and how long they may take. */
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
   * New work, and what goes on with a transaction: that one may hold the lock for which the others wait,
   * so it never waits behind them.
   */
  readonly queues: {
    readonly fresh: RequestQueue;
    readonly continued: RequestQueue;
    readonly webSocket: RequestQueue;
    /** Judging, one after the other. */
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
