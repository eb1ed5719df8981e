import { setImmediate } from "node:timers/promises";

/** Lets everybody else have a turn when enough was done since the last one. */
export type Turns = (characters: number) => Promise<void>;

/** Looking at so many characters takes a few milliseconds, whatever is done with them. */
const charactersPerTurn = 256 * 1024;
/** What a text costs beside its characters, so that very many short ones count too. */
const charactersPerText = 256;

/** For long work over text from outside: it calls this with the length of each text that it has looked at. */
export function createTurns(): Turns {
  let done = 0;
  return async (characters) => {
    done += characters + charactersPerText;
    if (done < charactersPerTurn) return;
    done = 0;
    await setImmediate();
  };
}
