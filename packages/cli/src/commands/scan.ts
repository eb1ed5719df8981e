import { statSync } from "node:fs";
import { KeyloanError } from "@keyloan/sdk";
import type { Finding, ScanResult } from "../scan/scan-folder.ts";
import { type Arguments, type Command, CommandError, type Invocation, UsageError } from "../shell/command.ts";
import { counted } from "../shell/counted.ts";
import { printJson, warn } from "../shell/output.ts";
import { type Paint, paintFor } from "../shell/paint.ts";
import { withProgress } from "../shell/progress.ts";
import { titleOf } from "../shell/show-match.ts";
import { printable } from "../shell/terminal-text.ts";

const megabyte = 1024 * 1024;
const fileMegabytesDefault = 256;
const skippedShown = 5;

/** Looks for lent values and tokens in a folder. */
export const command: Command = {
  usage: "scan <folder> [options]",
  summary: "Find lent values, org keys and Keyloan tokens in a folder, such as an app's build output.",
  notes: [
    "Everything that looks like a secret is sent to the broker, which looks it up by its keyed hash and does not store it anywhere. Found values are never printed. It also looks into base64, percent-encoding, escapes, source maps, and files packed with gzip or brotli. Links are not followed; node_modules and .git are left out.",
    "Exit code 0: all files were read and nothing was found. 1: something was found. 2: the scan failed, or not all files could be read.",
  ],
  options: {
    all: { type: "flag", help: "also look into node_modules and .git" },
    skip: {
      type: "text",
      value: "name",
      multiple: true,
      help: "leave out folders of this name; may be repeated",
    },
    "max-file-mb": {
      type: "text",
      value: "number",
      help: `leave out larger files; default ${fileMegabytesDefault}`,
    },
  },
  positionals: ["folder"],
  examples: ["keyloan scan .next", "keyloan scan dist --json", "keyloan scan . --skip coverage"],
  run: async (invocation) => {
    const { io, json } = invocation;
    const result = await scan(invocation);
    const findings = result.findings.toSorted(byPlace);
    if (json) printJson(io, { ...result, findings: findings.map(plain) });
    else show(invocation, result, findings);
    if (findings.length > 0) return 1;
    return result.skipped.length > 0 ? 2 : 0;
  },
};

async function scan({ args, io, json, connect }: Invocation): Promise<ScanResult> {
  const folder = args.positionals[0] ?? "";
  const options = optionsOf(args);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new CommandError(
      "no_folder",
      `${folder} is not a folder.`,
      "Name a folder, such as .next or dist.",
      2,
    );
  }
  try {
    const client = connect();
    const { scanFolder } = await import("../scan/scan-folder.ts");
    const catalog = await client.catalog.get();
    return await withProgress(io, json, "Scanning", (onProgress) =>
      scanFolder(folder, { ...options, catalog, ask: client.audit.matches, onProgress }),
    );
  } catch (error) {
    // 1 means that something was found, and nothing was.
    if (!(error instanceof KeyloanError)) throw error;
    throw new CommandError(error.code, error.message, error.remedy ?? "Check it with keyloan doctor.", 2);
  }
}

function optionsOf(args: Arguments) {
  const megabytes = args.text("max-file-mb") ?? String(fileMegabytesDefault);
  if (!/^[1-9]\d{0,5}$/.test(megabytes)) throw new UsageError("--max-file-mb needs a number, such as 64.");
  const always = args.flag("all") ? [] : ["node_modules", ".git"];
  return {
    skipFolders: new Set([...always, ...args.texts("skip")]),
    fileBytesMax: Number(megabytes) * megabyte,
  };
}

function byPlace(a: Finding, b: Finding): number {
  if (a.visible !== b.visible) return a.visible ? -1 : 1;
  return a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1;
}

/** A finding without its place among the values that were asked about. */
function plain({ match, ...place }: Finding) {
  const { index: _index, ...known } = match;
  return { ...place, match: known };
}

function show({ io }: Invocation, result: ScanResult, findings: readonly Finding[]): void {
  const paint = paintFor(io, "stdout");
  for (const finding of findings) io.out(lineOf(paint, finding));
  for (const { shown, reason } of result.skipped.slice(0, skippedShown)) {
    warn(io, `${shown} was not scanned: it ${reason === "too_large" ? "is too large" : "cannot be read"}.`);
  }
  if (result.skipped.length > skippedShown)
    warn(io, `${result.skipped.length - skippedShown} more were not scanned.`);
  const count =
    findings.length === 0 ? "no Keyloan values" : `${counted(findings.length, "place")} with Keyloan values`;
  io.out(`${findings.length === 0 ? "" : "\n"}${counted(result.files, "file")}: ${count}.\n`);
  if (findings.length === 0) return;
  if (findings.some(({ visible }) => visible))
    io.out("What is visible to everyone has leaked if the build was published.\n");
  io.out("To see who fetched a value and to end it: keyloan leak report --end\n");
}

function lineOf(paint: Paint, { file, line, column, visible, masked, match }: Finding): string {
  const build = "buildId" in match && match.buildId !== undefined ? ` ${match.buildId}` : "";
  const alive = match.alive ? "may still work" : "dead";
  const seen = visible ? `, ${paint("red", "VISIBLE TO EVERYONE")}` : "";
  return `${printable(`${file}:${line}:${column}`)}: ${printable(`${titleOf(match)}${build}`)}, ${alive}${seen}, ${printable(masked)}\n`;
}
