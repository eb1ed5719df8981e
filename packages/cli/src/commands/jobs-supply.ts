import { resolve } from "node:path";
import type { CatalogEntry, JobView } from "@keyloan/contract";
import type { Client } from "@keyloan/sdk";
import { type Command, CommandError, type Invocation, UsageError } from "../shell/command.ts";
import { readText } from "../shell/existing-file.ts";
import { readTextStream } from "../shell/json-input.ts";
import { note, printJson } from "../shell/output.ts";
import { askForFields } from "../shell/prompt.ts";
import { jobIdOf, showJob } from "../shell/show-job.ts";

/** Hands in the values that a person made for a lease that could not be issued. */
export const command: Command = {
  usage: "jobs supply <job-id> [--from-file <file>] [--force]",
  summary: "Give a build the values that you made by hand, for a job that needs them.",
  notes: [
    "On a terminal you are asked for each variable, and secrets are not shown as you type. With --from-file the values come from a .env file or a JSON object; a dash reads stdin. Other variables in it are ignored. The broker checks the values like any key and then seals them; it never accepts values that the provider refuses.",
  ],
  options: {
    "from-file": { type: "text", value: "file", help: "a .env file with the variables; - is stdin" },
    force: { type: "flag", help: "also accept values that could not be checked" },
  },
  positionals: ["job id"],
  examples: [
    "keyloan jobs supply job_3k9v0a5m2c7d8e4f6g1h",
    "keyloan jobs supply job_3k9v0a5m2c7d8e4f6g1h --from-file turso.env",
  ],
  run: async (invocation) => {
    const { args, io, json, connect } = invocation;
    const jobId = jobIdOf(args);
    const client = connect();
    const before = await client.jobs.get(jobId);
    if (before.requiredAction?.variables === undefined) throw needsNone(before);
    const values = await gather(invocation, client, before);
    const job = await client.jobs.supply(jobId, { values, force: args.flag("force") });
    if (json) printJson(io, job);
    else showJob(io, job);
    if (!json) note(io, "\nThe values were accepted; the build continues.");
    return 0;
  },
};

async function gather(
  { args, io, json }: Invocation,
  client: Client,
  job: JobView,
): Promise<Record<string, string>> {
  const { connectors } = await client.catalog.get();
  const connector = connectors.find(({ id }) => id === job.connector);
  if (connector === undefined) throw needsNone(job);
  const file = args.text("from-file");
  if (file !== undefined) return valuesIn(await textOf(io, file), connector, file);
  if (json || !io.stdinIsTerminal() || !io.stderrIsTerminal()) {
    throw new UsageError(
      `The values are missing: ${job.requiredAction?.variables?.join(", ")}.`,
      "Run it on a terminal to be asked for them, or name a file: --from-file <file>",
    );
  }
  return askForFields(io, connector.label, askedFields(connector, job));
}

/** What is asked for: what only lent or made keys have may be left empty. */
function askedFields(connector: CatalogEntry, job: JobView) {
  return connector.env
    .filter(({ name, family }) => family !== true && job.requiredAction?.variables?.includes(name))
    .map(({ name, label, secret, optional, help, helpUrl, own }) => ({
      name,
      label: `${label} (${name})`,
      secret,
      optional: optional === true || own?.kind === "absent" || own?.kind === "default",
      ...(help === undefined ? {} : { help }),
      ...(helpUrl === undefined ? {} : { helpUrl }),
    }));
}

async function textOf(io: Invocation["io"], file: string): Promise<string> {
  if (file === "-") return readTextStream(io.stdin());
  const text = readText(resolve(file), file);
  if (text !== undefined) return text;
  throw new CommandError("file_not_found", `There is no file ${file}.`, "Check the path.");
}

async function valuesIn(
  text: string,
  connector: CatalogEntry,
  file: string,
): Promise<Record<string, string>> {
  const { findVariable, parsePastedEnv } = await import("../env-files.ts");
  const found = parsePastedEnv(text).entries.flatMap(({ name, value }) => {
    const variable = findVariable(connector.env, name);
    if (variable === undefined || value === "") return [];
    return [[variable.family === true ? name : variable.name, value] as const];
  });
  if (found.length > 0) return Object.fromEntries(found);
  throw new CommandError(
    "nothing_found",
    `${file === "-" ? "Stdin" : `The file ${file}`} sets no variable of ${connector.id}.`,
    `It may set: ${connector.env.map(({ name }) => name).join(", ")}.`,
  );
}

function needsNone(job: JobView): CommandError {
  return new CommandError(
    "conflict",
    `The job ${job.id} does not need any values: it is ${job.state}.`,
    "See what it needs with: keyloan jobs show",
  );
}
