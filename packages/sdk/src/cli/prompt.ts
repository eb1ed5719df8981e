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
  io.err(`${paint("bold", printable(label))}\n`);
  const answers: Record<string, string> = {};
  for (const field of fields) {
    const help = [field.help, field.helpUrl].filter((text) => text !== undefined).map(printable);
    if (help.length > 0) io.err(`${paint("dim", help.join("\n"))}\n`);
    const hint = field.optional ? " (optional)" : field.secret ? " (not shown)" : "";
    let answer = "";
    do answer = (await ask(io, `${printable(field.label)}${hint}: `, field.secret)).trim();
    while (answer === "" && !field.optional);
    if (answer !== "") answers[field.name] = answer;
  }
  return answers;
}

function ask(io: Io, question: string, hidden: boolean): Promise<string> {
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const echo = new Writable({
    write: (chunk, _encoding, done) => {
      io.err(String(chunk));
      done();
    },
  });
  if (hidden) io.err(question);
  return new Promise((resolve, reject) => {
    const lines = createInterface({
      input: io.stdin(),
      output: hidden ? silence : echo,
      terminal: true,
      historySize: 0,
    });
    let answer: string | undefined;
    lines.on("SIGINT", () => lines.close());
    lines.on("close", () => {
      if (hidden || answer === undefined) io.err("\n");
      if (answer !== undefined) resolve(answer);
      else
        reject(
          new CommandError("given_up", "Given up; nothing was changed.", "Run it again when ready.", 130),
        );
    });
    lines.question(hidden ? "" : question, (text) => {
      answer = text;
      lines.close();
    });
  });
}
