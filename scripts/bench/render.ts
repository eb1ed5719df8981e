import { cpus } from "node:os";
import type { Row } from "./row.ts";

/** The rows as a Markdown table, with what they were measured on. */
export function renderRows(rows: readonly Row[]): string {
  const lines = rows.map(({ work, goal, reached, met, details }) =>
    cells(work, goal, reached, met ? "pass" : "miss", details),
  );
  const machine = `Node ${process.versions.node}, ${process.platform}-${process.arch}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? "CPU"}`;
  return [
    machine,
    "",
    cells("work", "goal", "reached", "", "figures"),
    cells("---", "---", "---", "---", "---"),
    ...lines,
    "",
    ...rows.map(quietLine),
  ].join("\n");
}

function cells(...texts: readonly string[]): string {
  return `| ${texts.join(" | ")} |`;
}

function quietLine({ work, quiet: { discarded, noisy } }: Row): string {
  const thrown = discarded === 0 ? "no round was thrown away" : `${discarded} noisy rounds were thrown away`;
  const kept =
    noisy === 0 ? "all rounds were quiet" : `${noisy} rounds were kept though something else was running`;
  return `${work}: ${thrown}, ${kept}.`;
}
