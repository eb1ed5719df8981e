import type { StartOverRow } from "@keyloan/store";
import type { Unit } from "../../change.ts";

const words = {
  requested:
    "Somebody asks to start over with the keys that a build's user saved. Until the request takes effect, that user can refuse it on the settings page.",
  done: "Somebody started over with a build: what its user had saved is deleted, or no longer theirs to read.",
  refused: "The user of a build refused a request to start over.",
  withdrawn: "The person who asked to start over with a build has withdrawn the request.",
} as const;

/** Writes a step of a start over into the audit, and tells it, in the transaction of that step. */
export function tellStartOver(
  tx: Unit,
  { id, buildId, dueAt }: StartOverRow,
  step: keyof typeof words,
): void {
  const action = `start_over.${step}` as const;
  tx.audit(action, buildId, { startOverId: id, dueAt });
  const due = step === "requested" ? { dueAt } : {};
  tx.notice({ type: action, message: words[step], buildId, ...due });
}
