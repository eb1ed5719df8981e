import type { Actor } from "@keyloan/contract";
import type { ReadToken } from "./tokens.ts";

/** What this process has seen of credentials, by their hash: whose they are, or that they hold no more. */
export type KnownCallers = {
  readonly remember: (hash: string, actor: Actor) => void;
  /** It was found not to hold: revoked, used up, or its time is over. None of ours begins to hold again. */
  readonly end: (credential: Pick<ReadToken, "hash" | "isProven">) => void;
  readonly find: (hash: string) => Actor | undefined;
  readonly hasEnded: (hash: string) => boolean;
};

const callersMax = 10_000;
/** Those that have ended are many more: whoever goes round them would find each forgotten when its turn comes again. */
const endedMax = 200_000;

export function createKnownCallers(): KnownCallers {
  const actors = new Map<string, Actor>();
  const ended = new Map<string, true>();
  return {
    remember: (hash, actor) => {
      ended.delete(hash);
      setNewest(actors, hash, actor, callersMax);
    },
    end: ({ hash, isProven }) => {
      actors.delete(hash);
      // What anybody can make up would push out what counts.
      if (isProven) setNewest(ended, hash, true, endedMax);
    },
    find: (hash) => actors.get(hash),
    hasEnded: (hash) => ended.has(hash),
  };
}

/** In order of last use, so that the one to forget is who has been away the longest. */
function setNewest<Value>(map: Map<string, Value>, hash: string, value: Value, most: number): void {
  map.delete(hash);
  map.set(hash, value);
  if (map.size > most) map.delete(map.keys().next().value ?? "");
}
