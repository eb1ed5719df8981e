/** Lets a limited number of requests run at once; the others wait in order of arrival. */
export type RequestQueue = {
  /**
   * Calls `start` now or later, with a function that ends its run.
   * @returns the same function, which also ends the wait; undefined if too many wait already
   */
  readonly enter: (start: (end: () => void) => void) => (() => void) | undefined;
};

export function createRequestQueue(atOnceMax: number, waitingMax: number): RequestQueue {
  const waiting = new Set<() => void>();
  let running = 0;
  const next = () => {
    for (const begin of waiting) {
      if (running >= atOnceMax) return;
      waiting.delete(begin);
      begin();
    }
  };
  return {
    enter: (start) => {
      if (running >= atOnceMax && waiting.size >= waitingMax) return undefined;
      let state: "waiting" | "running" | "ended" = "waiting";
      const begin = () => {
        state = "running";
        running++;
        start(end);
      };
      const end = () => {
        if (state === "waiting") waiting.delete(begin);
        if (state === "running") running--;
        state = "ended";
        next();
      };
      waiting.add(begin);
      next();
      return end;
    },
  };
}
