import { createInterface } from "node:readline";
import { CommandError, UsageError } from "./command.ts";
import type { Io } from "./io.ts";
import { askForFields } from "./prompt.ts";
import { printable } from "./terminal-text.ts";

/**
 * Lets a person on a terminal type a word before something is done that cannot be undone.
 * @throws UsageError where nobody can be asked, CommandError when another word is typed
 */
export async function confirmByTyping(io: Io, what: string, word: string): Promise<void> {
  if (!io.stdinIsTerminal()) {
    throw new UsageError("Nobody can be asked here whether that is meant.", "Add --yes when it is.");
  }
  const label = `Type ${word} to go on`;
  const { answer } = await askForFields(io, what, [{ name: "answer", label, secret: false, optional: true }]);
  if (answer === word) return;
  throw new CommandError("given_up", "Given up; nothing was changed.", "Run it again when it is meant.");
}

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
