import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { optionsOrExit } from "../options-or-exit.ts";
import { measureBuildIssue } from "./build-issue.ts";
import { measureCli } from "./cli-row.ts";
import { measureColdStart } from "./cold-start.ts";
import { measureDownloads } from "./downloads.ts";
import { measureEnvRead } from "./env-read.ts";
import { measureExpiries } from "./expiries.ts";
import { measureIssueShare } from "./issue-share.ts";
import { helpOf, readOptions } from "./options.ts";
import { renderRows } from "./render.ts";
import type { Row, RowOptions } from "./row.ts";

const rowSecondsMax = 45;

/** What can be measured, by the name it is asked for. */
const measures: Readonly<Record<string, (options: RowOptions) => Promise<Row>>> = {
  env: measureEnvRead,
  build: measureBuildIssue,
  cli: measureCli,
  start: measureColdStart,
  share: measureIssueShare,
  expiries: measureExpiries,
  downloads: measureDownloads,
};

const known = Object.keys(measures);
const { names, json } = optionsOrExit((argv) => readOptions(argv, known), helpOf(known));
const rows: Row[] = [];
for (const [name, measure] of Object.entries(measures)) {
  if (!names.includes(name)) continue;
  if (!json) process.stderr.write(`measuring ${name} …\n`);
  const folder = await mkdtemp(join(tmpdir(), "keyloan-bench-"));
  try {
    rows.push(await measure({ folder, untilMs: performance.now() + rowSecondsMax * 1000 }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
console.log(json ? JSON.stringify(rows, null, 2) : renderRows(rows));
