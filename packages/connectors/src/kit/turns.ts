import { setImmediate } from "node:timers/promises";

/** Yields to other work if enough was done since the last time. */
export type Turns = (characters: number) => Promise<void>;

/** Processing this many characters takes a few milliseconds, whatever is done with them. */
const charactersPerTurn = 256 * 1024;
/** Added for each text, so that very many short texts count too. */
const charactersPerText = 256;

/** For long work on text from outside: after each text, the work calls the returned function with its length. */
export function createTurns(): Turns {
  let done = 0;
  return async (characters) => {
    done += characters + charactersPerText;
    if (done < charactersPerTurn) return;
    done = 0;
    await setImmediate();
  };
}
