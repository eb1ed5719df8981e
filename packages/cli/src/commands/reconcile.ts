import type { ConnectorReport, Finding, ReconcileReport } from "@keyloan/contract";
import { type Command, CommandError, type Invocation, UsageError } from "../shell/command.ts";
import { confirm } from "../shell/confirm.ts";
import type { Io } from "../shell/io.ts";
import { note, printJson, say, warn } from "../shell/output.ts";
import { withProgress } from "../shell/progress.ts";
import { printTable } from "../shell/table.ts";
import { wrap } from "../shell/terminal-text.ts";

/** Compares what providers hold with what the broker knows. */
export const command: Command = {
  usage: "reconcile [options]",
  summary: "Compare what providers hold with the broker's records, and end what is left over.",
  notes: [
    "Keyloan recognizes its own resources by names that only it makes; it does not look at anything else at a provider. Leftovers of leases that have ended are ended, if the policy is mend. A resource that is named like Keyloan's own, but that Keyloan has no record of, may belong to another Keyloan on the same account, or to a store that was restored from a backup: it is reported, and ended only by its name with --end-unknown. A provider whose list cannot be trusted is left alone.",
    "The exit code is 1 when something requires manual action.",
  ],
  options: {
    "dry-run": { type: "flag", help: "only report: nothing is ended or marked" },
    connector: { type: "text", value: "id", help: "only this connector" },
    "end-unknown": {
      type: "text",
      value: "name",
      help: "end this resource that Keyloan has no record of; needs --connector",
    },
    yes: { type: "flag", help: "with --end-unknown: do not ask for confirmation" },
  },
  examples: [
    "keyloan reconcile --dry-run",
    "keyloan reconcile --connector turso --json",
    "keyloan reconcile --connector turso --end-unknown kl-3k9v0a5m2c7d8e4f6g1h",
  ],
  run: async (invocation) => {
    const { args, io, json, connect } = invocation;
    const connector = args.text("connector");
    const name = args.text("end-unknown");
    if (name !== undefined) return endUnknown(invocation, connector, name);
    if (args.flag("yes")) throw new UsageError("Use --yes together with --end-unknown.");
    const body = { dryRun: args.flag("dry-run"), ...(connector === undefined ? {} : { connector }) };
    const report = await withProgress(io, json, "Comparing with the providers", () =>
      connect().reconcile.run(body),
    );
    if (json) printJson(io, report);
    else showReport(io, report);
    return report.needsPerson ? 1 : 0;
  },
};

async function endUnknown(
  { args, io, json, connect }: Invocation,
  connector: string | undefined,
  name: string,
): Promise<number> {
  if (connector === undefined) throw new UsageError("--end-unknown needs a --connector.");
  if (args.flag("dry-run")) throw new UsageError("--end-unknown and --dry-run cannot be combined.");
  await confirm(io, `This ends ${name} at ${connector} for good, with all that it holds.`, args.flag("yes"));
  const finding = await connect().reconcile.endUnknown({ connector, name });
  if (json) printJson(io, finding);
  if (finding.action !== "ended") {
    throw new CommandError("not_ended", finding.message, finding.remedy ?? "Try again later.");
  }
  if (!json) note(io, `${name} has ended.`);
  return 0;
}

type Row = Finding & { readonly connector: string };

function showReport(io: Io, { connectors }: ReconcileReport): void {
  if (connectors.length === 0) {
    note(io, "There is nothing to compare: no connector that can be listed has an org key.");
    return;
  }
  for (const each of connectors) say(io, summaryOf(each));
  const rows = connectors.flatMap(({ connector, findings }) =>
    findings.map((finding): Row => ({ ...finding, connector })),
  );
  if (rows.length > 0) {
    io.out("\n");
    printTable<Row>(
      io,
      [
        { title: "CONNECTOR", value: (row) => row.connector },
        { title: "FOUND", value: ({ kind }) => kind.replace("_", " ") },
        { title: "DONE", value: ({ action }) => action, isState: true },
        { title: "NAME", value: ({ name }) => name },
        { title: "BUILD", value: ({ build }) => build ?? "-", shrinks: true },
      ],
      rows,
    );
  }
  for (const text of adviceOf(rows)) io.out(`\n${wrap(text, 78, "  ")}\n`);
  for (const { connector, message, remedy } of connectors) {
    if (message !== undefined) warn(io, `${connector}: ${message} ${remedy ?? ""}`.trim());
  }
}

function summaryOf({ connector, state, listed, findings, unlisted }: ConnectorReport): string {
  const more = unlisted === 0 ? "" : ` (${unlisted} more are not shown)`;
  return `${connector}: ${state}, ${listed} listed, ${findings.length + unlisted} findings${more}`;
}

/** Each message with its remedy once, however many findings share it. */
function adviceOf(rows: readonly Row[]): readonly string[] {
  const open = rows.filter(({ action }) => action !== "ended");
  return [...new Set(open.map(({ message, remedy }) => `${message} ${remedy ?? ""}`.trim()))];
}
