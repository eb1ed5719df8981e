import type { JobView } from "@keyloan/contract";
import type { JobRow, LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import { never } from "../../queue/require-action.ts";

const hourMs = 3_600_000;

/**
 * A job as the API shows it, never what it carries.
 * @param more the lease it works on, which keeps what failed in words, and how long its provider wants a pause
 */
export function jobView(
  deps: Pick<Deps, "now">,
  job: JobRow,
  more: { readonly lease?: LeaseRow | undefined; readonly pauseMs?: number } = {},
): JobView {
  const now = deps.now();
  const running = job.lockedUntil !== null && job.lockedUntil >= now;
  const isOpen = job.state === "waiting" || job.state === "requires_action";
  const nextRun = Math.max(job.runAfter, now + (more.pauseMs ?? 0));
  return {
    id: job.id,
    kind: job.kind,
    state: job.state,
    entity: job.entityId,
    ...(job.buildId === null ? {} : { build: job.buildId }),
    ...(job.connectorId === null ? {} : { connector: job.connectorId }),
    attempts: job.attempts,
    running,
    createdAt: isoTime(job.createdAt),
    ...(isOpen && !running && job.runAfter < never ? { nextRunAt: isoTime(nextRun) } : {}),
    ...(job.endedAt === null ? {} : { endedAt: isoTime(job.endedAt) }),
    ...(job.state === "requires_action" && job.requiredAction !== null
      ? { requiredAction: actionView(job.requiredAction, now) }
      : {}),
    ...(job.lastError === null ? {} : { lastError: errorView(job.lastError, more.lease) }),
  };
}

function actionView(
  requiredAction: NonNullable<JobRow["requiredAction"]>,
  now: number,
): NonNullable<JobView["requiredAction"]> {
  const { since, dueAt, steps, variables, remindedAt } = requiredAction;
  return {
    since: isoTime(since),
    dueAt: isoTime(dueAt),
    hoursLeft: Math.round(((dueAt - now) / hourMs) * 10) / 10,
    overdue: now >= dueAt,
    steps,
    ...(variables === undefined ? {} : { variables }),
    ...(remindedAt === undefined ? {} : { remindedAt: isoTime(remindedAt) }),
  };
}

function errorView(code: string, lease: LeaseRow | undefined): NonNullable<JobView["lastError"]> {
  const known = lease?.lastError;
  return known?.code === code ? { code, message: known.message, remedy: known.remedy } : { code };
}
