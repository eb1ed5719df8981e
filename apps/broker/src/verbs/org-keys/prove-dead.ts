import type { Actor } from "@keyloan/contract";
import type { OrgKeyRow, Tables } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { backoffMs } from "../../jobs/backoff.ts";
import type { JobHold } from "../../jobs/runner.ts";
import { noticeJob } from "../../notify/notice.ts";
import { auditRow } from "../audit.ts";
import { askIfDead, type Death } from "./ask-if-dead.ts";
import { isInUse } from "./is-in-use.ts";
import { deleteSentence } from "./views.ts";

const firstWaitMs = 30_000;
const waitMsMax = 3_600_000;
const reminderMs = 24 * 3_600_000;

/**
 * The job of a version that nothing uses any more: asks the provider about it until it is dead, and has a person
 * reminded every day while it lives. It never gives up.
 */
export async function proveOrgKeyDead(deps: Deps, hold: JobHold): Promise<void> {
  const { id, fence, entityId, attempts } = hold.job;
  const row = await deps.store.read.orgKeys.find(entityId);
  const death = row === undefined ? "gone" : await proveVersion(deps, jobActor(id), row, hold.signal);
  const isOver = death !== "alive" && death !== "unknown";
  await deps.store.write(async (tables) => {
    if (isOver) return tables.jobs.finish(id, fence, "done", undefined, deps.now());
    const waitMs = backoffMs(deps.randomBytes, attempts - 1, firstWaitMs, waitMsMax);
    return tables.jobs.retry(id, fence, deps.now() + waitMs, `the old key is ${death}`);
  });
}

/**
 * Asks once, and records the answer: what is dead is retired and its fields are erased, what lives is told.
 * @returns `in_use` without asking when leases still hold something of it, `gone` when it is retired already
 */
export async function proveVersion(
  deps: Deps,
  actor: Actor,
  row: OrgKeyRow,
  signal: AbortSignal,
): Promise<Death | "in_use" | "gone"> {
  if (row.state === "active" || row.fields === "") return "gone";
  if (await isInUse(deps, row)) return "in_use";
  const connector = deps.connectors.get(row.connectorId);
  if (connector === undefined) return "unknown";
  const death = await askIfDead(deps, connector, row, signal);
  await deps.store.write(async (tables) => {
    if (death === "dead" || death === "continued") await retire(deps, tables, actor, row, death);
    if (death === "alive") await recordAlive(deps, tables, row);
  });
  return death;
}

async function retire(
  deps: Deps,
  tables: Tables,
  actor: Actor,
  row: OrgKeyRow,
  death: "dead" | "continued",
): Promise<void> {
  const at = deps.now();
  if (!(await tables.orgKeys.retire(row.id, death === "dead" ? at : null))) return;
  const { version, connectorId } = row;
  await tables.auditEvents.insertAll([
    auditRow(deps, {
      actor,
      action: "org_key.retired",
      entity: connectorId,
      details: { version, proof: death === "dead" ? "refused_by_provider" : "same_credential_in_use" },
    }),
  ]);
}

async function recordAlive(deps: Deps, tables: Tables, row: OrgKeyRow): Promise<void> {
  const at = deps.now();
  const { id, connectorId, version, check, remindedAt } = row;
  const { message: _, ...rest } = check;
  await tables.orgKeys.recordCheck(id, { ...rest, status: "valid" }, at);
  if (remindedAt !== null && remindedAt > at - reminderMs && remindedAt <= at) return;
  if (!(await tables.orgKeys.setReminded(row, at))) return;
  await tables.jobs.insertAll([
    noticeJob(deps, {
      type: "org_key.still_works",
      message: `The replaced key of ${connectorId}, version ${version}, still works at the provider.`,
      connectorId,
      remedy: `${deleteSentence(deps, row)} The broker sees by itself when it is gone.`,
    }),
  ]);
}

const jobActor = (jobId: string): Actor => ({ kind: "job", jobId });
