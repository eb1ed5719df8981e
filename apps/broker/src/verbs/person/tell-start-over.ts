import type { Actor } from "@keyloan/contract";
import type { StartOverRow, Tables } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { noticeJob } from "../../notify/notice.ts";
import { auditRow } from "../audit.ts";

const words = {
  requested:
    "Somebody asks to start over with the keys that a build's user saved. Until it is due, that user can refuse it on the settings page.",
  done: "Somebody started over with a build: what its user had saved is deleted, or no longer theirs to read.",
  refused: "The user of a build refused that somebody starts over.",
  withdrawn: "Who asked to start over with a build has taken it back.",
} as const;

/** Writes a step of a start over into the audit, and tells it, in the transaction of that step. */
export async function tellStartOver(
  deps: Pick<Deps, "now" | "randomBytes">,
  tables: Tables,
  { id, buildId, dueAt }: StartOverRow,
  step: keyof typeof words,
  actor: Actor,
  requestId?: string,
): Promise<void> {
  const action = `start_over.${step}` as const;
  const details = { startOverId: id, dueAt };
  await tables.auditEvents.insertAll([
    auditRow(deps, { actor, action, entity: buildId, details, requestId }),
  ]);
  const due = step === "requested" ? { dueAt } : {};
  await tables.jobs.insertAll([noticeJob(deps, { type: action, message: words[step], buildId, ...due })]);
}
