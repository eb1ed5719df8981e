import type { Deps } from "../deps.ts";
import { backoffMs } from "../jobs/backoff.ts";
import type { JobHold } from "../jobs/runner.ts";
import { noticeBody, noticeOf } from "./notice.ts";
import { noticeHeaders } from "./sign-notice.ts";

const timeoutMsDefault = 10_000;
const firstWaitMs = 5_000;
const waitMsMax = 3_600_000;
const giveUpAfterMs = 24 * 3_600_000;

/**
 * Posts a notice to the receiver, again and again for a day until one answer is 2xx; it may arrive twice.
 * Without a receiver it is logged.
 */
export async function sendNotice(deps: Deps, hold: JobHold, timeoutMs = timeoutMsDefault): Promise<void> {
  const { job } = hold;
  const { notifyUrl } = deps.config;
  if (notifyUrl === undefined) deps.logger.warn({ notice: noticeOf(job) }, "a person should know");
  const failure = notifyUrl === undefined ? undefined : await post(deps, hold, notifyUrl, timeoutMs);
  const now = deps.now();
  if (failure === undefined) {
    await deps.store.write([job.id], (tables) => tables.jobs.finish(job.id, job.fence, "done"));
    return;
  }
  const line = { noticeId: job.id, type: noticeOf(job).type, failure };
  if (now - job.createdAt < giveUpAfterMs) {
    const runAfter = now + backoffMs(deps.randomBytes, job.attempts, firstWaitMs, waitMsMax);
    deps.logger.warn(line, "the receiver did not take a notice; it is sent again");
    await deps.store.write([job.id], (tables) => tables.jobs.retry(job.id, job.fence, runAfter, failure));
    return;
  }
  deps.logger.error(
    { ...line, notice: noticeOf(job) },
    "the receiver did not take a notice for a day: it is given up",
  );
  await deps.store.write([job.id], (tables) => tables.jobs.finish(job.id, job.fence, "failed", failure));
}

/** Why the receiver did not take it, or nothing when it did. Its words are not read. */
async function post(
  deps: Deps,
  { job, signal }: JobHold,
  url: string,
  timeoutMs: number,
): Promise<string | undefined> {
  const body = noticeBody(job);
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const response = await deps.fetch(url, {
      method: "POST",
      body,
      headers: {
        "content-type": "application/json",
        "user-agent": "keyloan",
        ...noticeHeaders(job.id, deps.now(), body, deps.config.notifySecret),
      },
      redirect: "manual",
      signal: AbortSignal.any([signal, late]),
    });
    await response.body?.cancel();
    return response.ok ? undefined : `answered ${response.status}`;
  } catch {
    return late.aborted ? "did not answer in time" : "could not be reached";
  }
}
