/** The WebSockets that one database has open: those that have shown a token, and strangers, who never take their places. */
export type WebSocketPlaces = {
  /**
   * A stranger comes in. When there are too many the one that came first has to go, so nobody keeps others out by coming
   * early.
   * @returns undefined while those with a token are as many as there may be
   */
  readonly enter: (end: () => void) => WebSocketPlace | undefined;
};

export type WebSocketPlace = {
  /** It has shown a token. False when no place is left for it. */
  readonly know: () => boolean;
  readonly leave: () => void;
};

export function createWebSocketPlaces(knownMax: number, strangersMax: number): WebSocketPlaces {
  const strangers = new Set<() => void>();
  let known = 0;
  return {
    enter: (end) => {
      if (known >= knownMax) return undefined;
      const [first] = strangers;
      if (first !== undefined && strangers.size >= strangersMax) {
        strangers.delete(first);
        first();
      }
      strangers.add(end);
      let isKnown = false;
      return {
        know: () => {
          if (known >= knownMax) return false;
          strangers.delete(end);
          isKnown = true;
          known++;
          return true;
        },
        leave: () => {
          strangers.delete(end);
          if (isKnown) known--;
          isKnown = false;
        },
      };
    },
  };
}
