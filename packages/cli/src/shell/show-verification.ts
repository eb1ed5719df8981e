import type { AuditProblemKind, AuditVerification } from "@keyloan/contract";
import { counted } from "./counted.ts";
import type { Io } from "./io.ts";
import { momentText } from "./moments.ts";
import { say } from "./output.ts";
import { paintFor } from "./paint.ts";
import { printable } from "./terminal-text.ts";

const places = { head: "the head given", head_file: "the broker's head file", sink: "the sink" } as const;

const notRows: Partial<Record<AuditProblemKind, string>> = {
  count: "the count of heads",
  signing_key: "the signing keys",
};

/** The verdict on the audit in one sentence. */
export function verdictText(result: AuditVerification): string {
  switch (result.verdict) {
    case "anchored": {
      const by = result.anchors.map((anchor) => `${places[anchor.by]} (row ${anchor.sequence})`).join(", ");
      return `anchored by ${by}`;
    }
    case "self_consistent":
      return "self-consistent, not anchored";
    case "broken": {
      const { sequence, kind, message } = result.problem;
      const place = sequence > 0 ? `row ${sequence}` : (notRows[kind] ?? "a head from outside");
      return `broken at ${place}: ${kind}, ${message}`;
    }
  }
}

/** Prints what was found of the audit, and what to do about it. */
export function showVerification(io: Io, result: AuditVerification): void {
  const paint = paintFor(io, "stdout");
  const color = { anchored: "green", self_consistent: "yellow", broken: "red" } as const;
  io.out(`${paint(color[result.verdict], printable(verdictText(result)))}\n`);
  say(io, `${counted(result.rows, "row")} and ${counted(result.heads, "signed head")} were read.`);
  for (const { after, before, at } of result.givenUp)
    say(io, `Between head ${after} and head ${before}, heads were given up (${momentText(at)}).`);
  for (const warning of result.warnings) say(io, `Note: ${warning}.`);
  say(io, adviceOf(result));
}

function adviceOf(result: AuditVerification): string {
  if (result.verdict === "broken") {
    return "Compare with an older export or backup, and with heads kept elsewhere. If you restored the store on purpose: keyloan audit accept-head";
  }
  if (result.verdict === "self_consistent") {
    return "Nobody would notice if the store were replaced by an older copy: set KEYLOAN_AUDIT_SINK, or keep heads (keyloan audit head).";
  }
  return `Rows through ${result.through} of ${result.lastSequence} match what was signed and kept outside the store.`;
}
