import { createInterface } from "node:readline";
import { CommandError } from "./command.ts";
import type { Io } from "./io.ts";
import { printable } from "./terminal-text.ts";

/**
 * Lets a person say yes before something that cannot be undone. Whoever is no person says it with `--yes`.
 * @throws CommandError `not_confirmed` when the answer is anything but yes, or nobody can be asked
 */
export async function confirm(io: Io, what: string, saidYes: boolean): Promise<void> {
  if (saidYes) return;
  if (!io.stdinIsTerminal()) {
    throw new CommandError("not_confirmed", `${what} Nobody can be asked here.`, "Say so with --yes.");
  }
  const lines = createInterface({ input: io.stdin(), historySize: 0 });
  try {
    io.err(`${printable(what)} Go on? [y/N] `);
    const answer = await new Promise<string>((resolve) => {
      lines.once("line", resolve).once("close", () => resolve(""));
    });
    if (/^y(?:es)?$/i.test(answer.trim())) return;
  } finally {
    lines.close();
  }
  throw new CommandError("not_confirmed", "Nothing was changed.", "Answer y to go on.");
}
