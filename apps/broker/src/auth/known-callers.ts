import type { Actor } from "@keyloan/contract";

/** Callers whom this process has seen with a credential that held, by its hash. */
export type KnownCallers = {
  readonly remember: (hash: string, actor: Actor) => void;
  readonly forget: (hash: string) => void;
  readonly find: (hash: string) => Actor | undefined;
};

const callersMax = 10_000;

export function createKnownCallers(): KnownCallers {
  const actors = new Map<string, Actor>();
  return {
    remember: (hash, actor) => {
      // In order of last use, so that the one to forget is who has been away the longest.
      actors.delete(hash);
      actors.set(hash, actor);
      if (actors.size > callersMax) actors.delete(actors.keys().next().value ?? "");
    },
    forget: (hash) => {
      actors.delete(hash);
    },
    find: (hash) => actors.get(hash),
  };
}
