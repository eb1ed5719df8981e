import { CommandError, UsageError } from "./command.ts";
import type { Io } from "./io.ts";
import { askOne } from "./prompt.ts";
import { printable, wrap } from "./terminal-text.ts";

/**
 * Lets a person type a word before something is done that cannot be undone. Whoever is no person says it with `--yes`.
 * @param word what has to be typed; `yes`, or a name where a slip would end much
 * @throws UsageError without a terminal, CommandError `given_up` when anything else is typed
 */
export async function confirm(io: Io, what: string, saidYes: boolean, word = "yes"): Promise<void> {
  if (saidYes) return;
  if (!io.stdinIsTerminal() || !io.stderrIsTerminal()) {
    throw new UsageError(
      `${what} This needs a confirmation, and no terminal is attached.`,
      "Add --yes to confirm.",
    );
  }
  io.err(`${wrap(what, io.columns())}\n`);
  const answer = (await askOne(io, `Type ${printable(word)} to go on: `, false)).trim();
  if (answer === word) return;
  throw new CommandError("given_up", "Cancelled; nothing was changed.", "Run it again to confirm.");
}
