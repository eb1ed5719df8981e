/** Limits the open WebSockets of one database. Strangers have not shown a token yet and have a limit of their own. */
export type WebSocketPlaces = {
  /**
   * Adds a stranger. If there are too many, the oldest one is ended, so that early strangers do not keep others out.
   * @param end called to end this stranger
   * @returns undefined while all places for WebSockets with a token are taken
   */
  readonly enter: (end: () => void) => WebSocketPlace | undefined;
};

export type WebSocketPlace = {
  /** Call it when the WebSocket has shown a token. Returns false if no place is left for it. */
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
