import type { JobRow, StoredRequiredAction, TimeCursor } from "@keyloan/store";
import { bySystem } from "../change.ts";
import type { Deps } from "../deps.ts";
import { type Failed, tryEach } from "../each.ts";
import { actionNotice } from "./require-action.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const pageSize = 200;

/**
 * Tells again of jobs that still need a person: at half of their time, an hour before its end, when it is over,
 * and then every day. What was missed while no broker ran is told once, not once for each moment.
 */
export async function remindOfActions(deps: Deps, signal: AbortSignal): Promise<number> {
  let told = 0;
  const failed: Failed<JobRow>[] = [];
  const tell = async (job: JobRow) => {
    if (job.requiredAction !== null && (await remind(deps, job, job.requiredAction))) told += 1;
  };
  let after: TimeCursor | undefined;
  do {
    const query = {
      state: "requires_action",
      limit: pageSize,
      ...(after === undefined ? {} : { after }),
    } as const;
    const page = await deps.store.read.jobs.list(query);
    if (signal.aborted) return told;
    failed.push(...(await tryEach(page, tell, signal)));
    after = page.length < pageSize ? undefined : page.at(-1);
  } while (after !== undefined);
  if (failed[0] !== undefined) throw failed[0].error;
  return told;
}

async function remind(deps: Deps, job: JobRow, requiredAction: StoredRequiredAction): Promise<boolean> {
  const now = deps.now();
  const moment = lastMoment(requiredAction, now);
  if (moment === undefined || (requiredAction.remindedAt ?? requiredAction.since) >= moment) return false;
  const overdue = now >= requiredAction.dueAt;
  const what = `A job of the kind ${job.kind}${job.connectorId === null ? "" : ` at ${job.connectorId}`}`;
  const message = overdue
    ? `${what} has required manual action for ${hoursText(now - requiredAction.since)}: it is overdue.`
    : `${what} requires manual action within ${hoursText(requiredAction.dueAt - now)}.`;
  return deps.change(bySystem("reminder"), [job.id], async (tx) => {
    if (!(await tx.jobs.setReminded(job.id, requiredAction, now))) return false;
    tx.notice(actionNotice(job, overdue ? "job.overdue" : "job.reminder", message));
    return true;
  });
}

/** The last moment up to now at which somebody should have been told. */
export function lastMoment({ since, dueAt }: StoredRequiredAction, now: number): number | undefined {
  if (now >= dueAt) return dueAt + Math.floor((now - dueAt) / dayMs) * dayMs;
  const half = since + (dueAt - since) / 2;
  const before = [half, dueAt - hourMs].filter((moment) => moment > since && moment <= now);
  return before.length === 0 ? undefined : Math.max(...before);
}

function hoursText(ms: number): string {
  const hours = Math.max(Math.round(ms / hourMs), 1);
  return hours === 1 ? "an hour" : `${hours} hours`;
}
