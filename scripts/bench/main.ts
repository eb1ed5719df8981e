import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measureBuildIssue } from "./build-issue.ts";
import { measureCli } from "./cli-row.ts";
import { measureColdStart } from "./cold-start.ts";
import { measureDownloads } from "./downloads.ts";
import { measureEnvRead } from "./env-read.ts";
import { measureExpiries } from "./expiries.ts";
import { measureIssueShare } from "./issue-share.ts";
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

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false } },
});
const unknown = positionals.filter((name) => !Object.hasOwn(measures, name));
if (unknown.length > 0) {
  console.error(
    `There is no measure ${unknown.join(", ")}. Choose from: ${Object.keys(measures).join(", ")}.`,
  );
  process.exit(2);
}

const rows: Row[] = [];
for (const [name, measure] of Object.entries(measures)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  if (!values.json) process.stderr.write(`measuring ${name} …\n`);
  const folder = await mkdtemp(join(tmpdir(), "keyloan-bench-"));
  try {
    rows.push(await measure({ folder, untilMs: performance.now() + rowSecondsMax * 1000 }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
console.log(values.json ? JSON.stringify(rows, null, 2) : renderRows(rows));
