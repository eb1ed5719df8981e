import type { Actor } from "@keyloan/contract";
import type { ReadToken } from "./tokens.ts";

/** What this process has seen of credentials, by their hash: whose they are, or that they hold no more. */
export type KnownCallers = {
  readonly remember: (hash: string, actor: Actor) => void;
  /** It was found not to hold: revoked, used up, or its time is over. None of ours begins to hold again. */
  readonly end: (credential: Pick<ReadToken, "hash" | "isProven">) => void;
  readonly find: (hash: string) => Actor | undefined;
  readonly hasEnded: (hash: string) => boolean;
  /** How many times any of them was found to hold. */
  readonly timesFound: () => number;
  /** Whether this one was found to hold after that many times. */
  readonly wasFoundAfter: (times: number, hash: string) => boolean;
};

const callersMax = 10_000;
/** Those that have ended are many more: whoever goes round them would find each forgotten when its turn comes again. */
const endedMax = 200_000;

export function createKnownCallers(): KnownCallers {
  const known = new Map<string, { readonly actor: Actor; readonly times: number }>();
  const ended = new Map<string, true>();
  let timesFound = 0;
  return {
    remember: (hash, actor) => {
      ended.delete(hash);
      timesFound += 1;
      setNewest(known, hash, { actor, times: timesFound }, callersMax);
    },
    end: ({ hash, isProven }) => {
      known.delete(hash);
      // What anybody can make up would push out what counts.
      if (isProven) setNewest(ended, hash, true, endedMax);
    },
    find: (hash) => known.get(hash)?.actor,
    hasEnded: (hash) => ended.has(hash),
    timesFound: () => timesFound,
    wasFoundAfter: (times, hash) => (known.get(hash)?.times ?? 0) > times,
  };
}

/** In order of last use, so that the one to forget is who has been away the longest. */
function setNewest<Value>(map: Map<string, Value>, hash: string, value: Value, most: number): void {
  map.delete(hash);
  map.set(hash, value);
  if (map.size > most) map.delete(map.keys().next().value ?? "");
}
