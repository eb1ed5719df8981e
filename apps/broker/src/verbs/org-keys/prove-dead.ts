import { askIfDead, type Death, isInUse } from "@keyloan/org-keys";
import type { OrgKeyRow } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import { byJob, type Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { defineJob, type JobHold } from "../../queue/define-job.ts";
import { done, failed, type Outcome } from "../../queue/outcome.ts";
import { deleteSentence } from "./views.ts";

const reminderMs = 24 * 3_600_000;

/**
 * Asks the provider about a version that nothing uses any more until it is dead, and has a person reminded every day
 * while it lives. It never gives up.
 */
export const proveDeadJob = defineJob({
  run: proveOrgKeyDead,
  retry: { firstSeconds: 30, mostSeconds: 3_600, runs: Number.POSITIVE_INFINITY },
  giveUp: "fail",
});

async function proveOrgKeyDead(deps: Deps, hold: JobHold): Promise<Outcome> {
  const row = await deps.store.read.orgKeys.find(hold.job.entityId);
  const death = row === undefined ? "gone" : await proveVersion(deps, byJob(hold.job), row, hold.signal);
  if (row === undefined || (death !== "alive" && death !== "unknown")) return done();
  const words = `the old key is ${death}`;
  return failed({ provider: row.connectorId, code: words, message: words, remedy: "", retryable: true });
}

/**
 * Asks once, and records the answer: what is dead is retired and its fields are erased, what lives is told.
 * @returns `in_use` without asking when leases still hold something of it, `gone` when it is retired already
 */
export async function proveVersion(
  deps: Deps,
  by: By,
  row: OrgKeyRow,
  signal: AbortSignal,
): Promise<Death | "in_use" | "gone"> {
  if (row.state === "active" || row.fields === "") return "gone";
  if (await isInUse(deps, row)) return "in_use";
  const connector = deps.connectors.get(row.connectorId);
  if (connector === undefined) return "unknown";
  const death = await askIfDead(deps, connector, row, signal);
  await deps.change(by, [row.id], async (tx) => {
    if (death === "dead" || death === "continued") return retire(deps, tx, row, death);
    return tx.unaudited(death === "alive" ? await recordAlive(deps, tx, row) : undefined);
  });
  return death;
}

async function retire(deps: Deps, tx: Unit, row: OrgKeyRow, death: "dead" | "continued"): Promise<void> {
  const at = deps.now();
  if (!(await tx.orgKeys.retire(row.id, death === "dead" ? at : null))) return tx.unaudited(undefined);
  const { version, connectorId } = row;
  const proof = death === "dead" ? "refused_by_provider" : "same_credential_in_use";
  tx.audit("org_key.retired", connectorId, { version, proof });
}

async function recordAlive(deps: Deps, tx: Unit, row: OrgKeyRow): Promise<void> {
  const at = deps.now();
  const { id, connectorId, version, check, remindedAt } = row;
  const { message: _, ...rest } = check;
  await tx.orgKeys.recordCheck(id, { ...rest, status: "valid" }, at);
  if (remindedAt !== null && remindedAt > at - reminderMs && remindedAt <= at) return;
  if (!(await tx.orgKeys.setReminded(row, at))) return;
  tx.notice({
    type: "org_key.still_works",
    message: `The replaced key of ${connectorId}, version ${version}, still works at the provider.`,
    connectorId,
    remedy: `${deleteSentence(deps, row)} The broker notices automatically when it is gone.`,
  });
}
