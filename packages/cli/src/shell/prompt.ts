import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import type { CatalogEntry } from "@keyloan/contract";
import { CommandError } from "./command.ts";
import type { Io } from "./io.ts";
import { paintFor } from "./paint.ts";
import { printable } from "./terminal-text.ts";

type Field = CatalogEntry["orgFields"][number];

/**
 * Asks for each field on the terminal. What is typed for a secret is not shown. An optional field may
 * be left empty; any other is asked again.
 * @throws CommandError with exit code 130 when the person gives up with Ctrl-C or Ctrl-D
 */
export async function askForFields(
  io: Io,
  label: string,
  fields: readonly Field[],
): Promise<Record<string, string>> {
  const paint = paintFor(io, "stderr");
  const prompter = openPrompter(io);
  const answers: Record<string, string> = {};
  try {
    io.err(`${paint("bold", printable(label))}\n`);
    for (const field of fields) {
      const help = [field.help, field.helpUrl].filter((text) => text !== undefined).map(printable);
      if (help.length > 0) io.err(`${paint("dim", help.join("\n"))}\n`);
      const hint = field.optional ? " (optional)" : field.secret ? " (not shown)" : "";
      let answer = "";
      do answer = (await prompter.ask(`${printable(field.label)}${hint}: `, field.secret)).trim();
      while (answer === "" && !field.optional);
      if (answer !== "") answers[field.name] = answer;
    }
    return answers;
  } finally {
    prompter.close();
  }
}

/**
 * Asks one question on the terminal. What is typed for a secret is not shown.
 * @throws CommandError with exit code 130 when the person gives up with Ctrl-C or Ctrl-D
 */
export async function askOne(io: Io, question: string, hidden: boolean): Promise<string> {
  const prompter = openPrompter(io);
  try {
    return await prompter.ask(question, hidden);
  } finally {
    prompter.close();
  }
}

type Prompter = {
  readonly ask: (question: string, hidden: boolean) => Promise<string>;
  readonly close: () => void;
};

function openPrompter(io: Io): Prompter {
  // Hidden from the moment a line is complete: the rest of a paste may hold the next secret.
  const state = { hidden: true, closed: false };
  const output = new Writable({
    write: (chunk, _encoding, done) => {
      if (!state.hidden) io.err(String(chunk));
      done();
    },
  });
  const lines = createInterface({ input: io.stdin(), output, terminal: true, historySize: 0 });
  const early: string[] = [];
  let giveUp = () => {};
  lines.on("line", (line) => early.push(line));
  lines.on("SIGINT", () => lines.close());
  lines.on("close", () => {
    state.closed = true;
    giveUp();
  });
  const ask = (question: string, hidden: boolean) =>
    new Promise<string>((resolve, reject) => {
      giveUp = () => {
        io.err("\n");
        reject(
          new CommandError(
            "given_up",
            "Cancelled; nothing was changed.",
            "Run it again when you are ready.",
            130,
          ),
        );
      };
      const next = early.shift();
      if (next !== undefined) {
        io.err(`${question}\n`);
        resolve(next);
        return;
      }
      if (state.closed) {
        giveUp();
        return;
      }
      state.hidden = hidden;
      if (hidden) io.err(question);
      lines.question(hidden ? "" : question, (answer) => {
        if (hidden) io.err("\n");
        state.hidden = true;
        resolve(answer);
      });
    });
  const close = () => {
    giveUp = () => {};
    lines.close();
  };
  return { ask, close };
}
