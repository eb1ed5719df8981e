import type { CatalogEntry } from "@keyloan/contract";
import { cleanText } from "@keyloan/key-validator/clean-text";
import type { Client } from "@keyloan/sdk";
import { CommandError, type Invocation, UsageError } from "./command.ts";
import { readJsonFile, readJsonStream } from "./json-input.ts";
import { nearest } from "./nearest.ts";
import { warn } from "./output.ts";
import { askForFields } from "./prompt.ts";

/** The options by which the fields of an org key are given. */
export const orgKeyFieldOptions = {
  field: { type: "text", value: "name=value", multiple: true, help: "one field; may be repeated" },
  "from-json": { type: "text", value: "file", help: "a file with a JSON object of the fields" },
} as const;

export const orgKeyFieldsNote =
  "On a terminal you are asked for each field, and secrets are not shown as you type. In a script, pipe a JSON object with the fields to stdin and give - as the last argument. Values given with --field end up in the shell's history and in the process list: use it only for fields that are not secret.";

/**
 * The connector of the first argument, and the fields of its new key.
 * @throws CommandError `unknown_connector`, UsageError for fields that are missing or not its own
 */
export async function readOrgKey(
  invocation: Invocation,
  client: Client,
): Promise<{ readonly connector: CatalogEntry; readonly fields: Record<string, string> }> {
  const id = invocation.args.positionals[0] ?? "";
  const { connectors } = await client.catalog.get();
  const connector = connectors.find((each) => each.id === id);
  if (connector === undefined) throw unknownConnector(id, connectors);
  if (connector.orgFields.length === 0) {
    throw new UsageError(`The connector ${id} needs no org key.`);
  }
  return { connector, fields: cleaned(invocation, connector, await gatherFields(invocation, connector)) };
}

/** The fields without what certainly does not belong to them, as the broker and the settings page take it away. */
function cleaned(
  { io }: Invocation,
  { orgFields }: CatalogEntry,
  fields: Readonly<Record<string, string>>,
): Record<string, string> {
  const texts = Object.entries(fields).map(([name, given]) => {
    const { text, notes } = cleanText(orgFields.find((field) => field.name === name) ?? {}, given);
    for (const note of notes) warn(io, `${name}: ${note}`);
    return [name, text];
  });
  return Object.fromEntries(texts);
}

async function gatherFields(
  { args, io, json }: Invocation,
  connector: CatalogEntry,
): Promise<Record<string, string>> {
  const fromStdin = args.positionals[1] !== undefined;
  if (fromStdin && args.positionals[1] !== "-") {
    throw new UsageError(
      `Unexpected argument "${args.positionals[1]}".`,
      "To read the fields from stdin, write - there.",
    );
  }
  const file = args.text("from-json");
  if (fromStdin && file !== undefined) throw new UsageError("--from-json and - cannot be combined.");
  const given: Record<string, unknown> = {
    ...(file === undefined ? {} : readJsonFile(file)),
    ...(fromStdin ? await readJsonStream(io.stdin()) : {}),
    ...fieldOptions(args.texts("field")),
  };
  const fields = checkedFields(given, connector);
  const overt = args.texts("field").map((text) => text.split("=")[0]);
  if (connector.orgFields.some((field) => field.secret && overt.includes(field.name))) {
    warn(
      io,
      "a secret given with --field ends up in the shell's history; run the command on a terminal to be asked for it, or pipe it in with - instead.",
    );
  }
  const missing = connector.orgFields.filter((field) => fields[field.name] === undefined);
  const required = missing.filter((field) => !field.optional);
  const asks = !fromStdin && file === undefined && !json && io.stdinIsTerminal() && io.stderrIsTerminal();
  if (asks && missing.length > 0) return { ...fields, ...(await askForFields(io, connector.label, missing)) };
  if (required.length === 0) return fields;
  throw new UsageError(
    `These fields are missing: ${required.map((field) => field.name).join(", ")}.`,
    `Run it on a terminal to be asked for them, or pipe them in: keyloan org-keys set ${connector.id} - < fields.json`,
  );
}

function fieldOptions(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf("=");
      // The text is not repeated: without a name in front it may be a bare secret.
      if (equals < 1)
        throw new UsageError("--field needs a name and a value, as in --field organization=acme");
      return [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

function checkedFields(given: Record<string, unknown>, connector: CatalogEntry): Record<string, string> {
  const known = connector.orgFields.map((field) => field.name);
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (!known.includes(name)) {
      const suggestion = nearest(name, known);
      throw new UsageError(
        `The connector ${connector.id} has no field "${name}".`,
        suggestion === undefined ? `Its fields: ${known.join(", ")}.` : `Did you mean ${suggestion}?`,
      );
    }
    if (typeof value !== "string" || value === "")
      throw new UsageError(`The field ${name} is not text, or is empty.`);
    fields[name] = value;
  }
  return fields;
}

function unknownConnector(id: string, connectors: readonly CatalogEntry[]): CommandError {
  const ids = connectors.map((each) => each.id);
  const suggestion = nearest(id, ids);
  return new CommandError(
    "unknown_connector",
    `The broker has no connector "${id}".`,
    suggestion === undefined ? `It has: ${ids.join(", ")}.` : `Did you mean ${suggestion}?`,
  );
}
