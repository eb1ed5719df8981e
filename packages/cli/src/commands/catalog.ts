import type { CatalogEntry } from "@keyloan/contract";
import { type Command, CommandError } from "../shell/command.ts";
import type { Io } from "../shell/io.ts";
import { nearest } from "../shell/nearest.ts";
import { printJson, say } from "../shell/output.ts";
import { paintFor } from "../shell/paint.ts";
import { printTable } from "../shell/table.ts";
import { printable, wrap } from "../shell/terminal-text.ts";

/** Shows the broker's connectors. */
export const command: Command = {
  usage: "catalog [connector]",
  summary: "Show the broker's connectors: what they need, what they give, how isolated they are.",
  positionals: ["[connector]"],
  examples: ["keyloan catalog", "keyloan catalog turso", "keyloan catalog --json"],
  run: async ({ args, io, json, connectCaller }) => {
    const { catalogApi } = await import("@keyloan/sdk/parts");
    const catalog = await catalogApi(connectCaller(false)).get();
    const id = args.positionals[0];
    if (id === undefined) {
      if (json) printJson(io, catalog);
      else showAll(io, catalog.connectors);
      return 0;
    }
    const entry = catalog.connectors.find((each) => each.id === id);
    if (entry === undefined) throw unknownConnector(id, catalog.connectors);
    if (json) printJson(io, entry);
    else showOne(io, entry);
    return 0;
  },
};

function showAll(io: Io, connectors: readonly CatalogEntry[]): void {
  printTable<CatalogEntry>(
    io,
    [
      { title: "ID", value: (entry) => entry.id },
      { title: "CATEGORY", value: (entry) => entry.category },
      { title: "GRADE", value: (entry) => entry.grade },
      { title: "ORG KEY", value: (entry) => (entry.orgFields.length === 0 ? "none" : "needed") },
      { title: "SUMMARY", value: (entry) => entry.summary, shrinks: true },
    ],
    connectors,
  );
}

function showOne(io: Io, entry: CatalogEntry): void {
  const paint = paintFor(io, "stdout");
  io.out(`${paint("bold", printable(entry.label))}  ${printable(entry.category)}\n`);
  io.out(`${wrap(entry.summary, 80)}\n\n`);
  io.out(`${wrap(`Grade ${entry.grade}: ${entry.gradeMeaning}.`, 80)}\n`);
  io.out(`${wrap(`End of a lease: ${entry.revocation}`, 80)}\n`);
  if (entry.orgFields.length > 0) io.out(`\n${paint("dim", "The org key has these fields:")}\n`);
  for (const field of entry.orgFields) {
    const kind = [field.secret ? "secret" : "", field.optional ? "optional" : ""].filter(Boolean).join(", ");
    say(io, `  ${field.name}${kind === "" ? "" : ` (${kind})`}: ${field.label}`);
    if (field.helpUrl !== undefined) say(io, `      ${field.helpUrl}`);
  }
  io.out(`\n${paint("dim", "A build gets these variables:")}\n`);
  for (const variable of entry.env) {
    const name = variable.family ? `${variable.name}…` : variable.name;
    const aliases = variable.aliases?.length ? ` (also ${variable.aliases.join(", ")})` : "";
    say(io, `  ${name}${aliases}: ${variable.label}`);
  }
}

function unknownConnector(id: string, connectors: readonly CatalogEntry[]): CommandError {
  const ids = connectors.map((entry) => entry.id);
  const suggestion = nearest(id, ids);
  const remedy = suggestion === undefined ? `It has: ${ids.join(", ")}.` : `Did you mean ${suggestion}?`;
  return new CommandError("unknown_connector", `The broker has no connector "${id}".`, remedy);
}
