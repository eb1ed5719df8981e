/** Lets a few at a time do what takes much memory or time; the others wait for their turn. */
export type Slots = {
  /**
   * Runs the work when it is its turn.
   * @throws the signal's reason when it ends before that, and what the work throws
   */
  readonly run: <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>;
};

export function createSlots(atOnce: number): Slots {
  let free = atOnce;
  const waiting = new Set<() => void>();
  const take = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    if (free > 0) {
      free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const turn = () => {
        signal.removeEventListener("abort", giveUp);
        resolve();
      };
      const giveUp = () => {
        waiting.delete(turn);
        reject(signal.reason);
      };
      waiting.add(turn);
      signal.addEventListener("abort", giveUp, { once: true });
    });
  };
  const give = () => {
    const [next] = waiting;
    if (next === undefined) free += 1;
    else {
      // The slot goes from hand to hand, so that nobody who comes later takes it first.
      waiting.delete(next);
      next();
    }
  };
  return {
    run: async (signal, work) => {
      await take(signal);
      try {
        return await work();
      } finally {
        give();
      }
    },
  };
}

/** {@link Slots} of which nobody takes more than one: whoever has the same key waits for the one before. */
export type FairSlots = {
  /**
   * Runs the work when it is its turn. Others then take its slot; its key stays taken until what it gave is released.
   * @throws the signal's reason when it ends before that, and what the work throws; the key is free then
   */
  readonly hold: <T>(key: string, signal: AbortSignal, work: () => Promise<T>) => Promise<Held<T>>;
};

export type Held<T> = { readonly value: T; readonly release: () => void };

export function createFairSlots(atOnce: number): FairSlots {
  const all = createSlots(atOnce);
  const byKey = new Map<string, { readonly slots: Slots; users: number }>();
  return {
    hold: (key, signal, work) => {
      const own = byKey.get(key) ?? { slots: createSlots(1), users: 0 };
      byKey.set(key, own);
      own.users += 1;
      return new Promise((resolve, reject) => {
        const keep = () =>
          new Promise<void>((release, fail) => {
            all.run(signal, work).then((value) => resolve({ value, release }), fail);
          });
        const forget = () => {
          own.users -= 1;
          if (own.users === 0) byKey.delete(key);
        };
        own.slots.run(signal, keep).catch(reject).finally(forget);
      });
    },
  };
}
