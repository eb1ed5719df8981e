import type { JobDefinition, Retry } from "../../apps/broker/src/queue/define-job.ts";
import { code, markdownTable } from "./markdown-table.ts";

/** How long each kind of work is tried again and what then, for docs/operations.md. */
export function renderJobs(definitions: Readonly<Record<string, JobDefinition>>): string {
  const head = ["Kind", "A run ends after", "Waits between runs", "Runs", "Then", "While degraded"];
  const rows = Object.entries(definitions).map(([kind, definition]) => [
    code(kind),
    definition.deadlineSeconds === undefined
      ? code("KEYLOAN_ISSUE_DEADLINE_SECONDS")
      : duration(definition.deadlineSeconds),
    `${duration(definition.retry.firstSeconds)} to ${duration(definition.retry.mostSeconds)}`,
    runs(definition.retry),
    then(definition),
    definition.whileDegraded === true ? "runs" : "waits",
  ]);
  return markdownTable(head, rows);
}

function runs({ runs, refusedRuns = 1, unfinishedRuns, forSeconds }: Retry): string {
  if (forSeconds !== undefined) return `for ${duration(forSeconds)}`;
  const most = count(runs);
  const refused = refusedRuns === runs ? "" : `; ${count(refusedRuns)} when it is refused`;
  const unfinished =
    unfinishedRuns === undefined ? "" : `; ${count(unfinishedRuns)} while it has left something`;
  return `${most}${refused}${unfinished}`;
}

const count = (number: number): string => (Number.isFinite(number) ? String(number) : "without end");

function then({ giveUp, retry }: JobDefinition): string {
  if (retry.runs === Number.POSITIVE_INFINITY && retry.refusedRuns === retry.runs) return "";
  if (giveUp === "fail") return "has failed";
  const asks = `requires action${giveUp.keepsTrying ? ", and is tried every hour" : ""}`;
  return giveUp.onlyUnfinished === true ? `has failed; ${asks}, if it has left something` : asks;
}

function duration(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}
