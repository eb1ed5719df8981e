import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";

export type CallTimes = {
  /** Milliseconds spent in calls since this was last asked, one after the other, by the port they came to. */
  readonly take: () => ReadonlyMap<number, number>;
  readonly stop: () => void;
};

type Started = { readonly request: IncomingMessage };

/** Measures every request that a server of this process answers, from its first byte to the answer's last. */
export function watchCalls(): CallTimes {
  const started = new WeakMap<IncomingMessage, number>();
  let spent = new Map<number, number>();
  // Node documents what these two channels carry ("Diagnostics Channel, HTTP").
  const onStart = (message: unknown) => {
    started.set((message as Started).request, performance.now());
  };
  const onFinish = (message: unknown) => {
    const { request } = message as Started;
    const port = request.socket.localPort ?? 0;
    const ms = performance.now() - (started.get(request) ?? performance.now());
    spent.set(port, (spent.get(port) ?? 0) + ms);
  };
  subscribe("http.server.request.start", onStart);
  subscribe("http.server.response.finish", onFinish);
  return {
    take: () => {
      const taken = spent;
      spent = new Map();
      return taken;
    },
    stop: () => {
      unsubscribe("http.server.request.start", onStart);
      unsubscribe("http.server.response.finish", onFinish);
    },
  };
}
