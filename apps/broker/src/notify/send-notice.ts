import { userAgent } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import { defineJob, type JobDefinition, type JobHold } from "../queue/define-job.ts";
import { done, failed, type Outcome } from "../queue/outcome.ts";
import { noticeBody, noticeOf } from "./notice.ts";
import { noticeHeaders } from "./sign-notice.ts";

/** Posts a notice to the receiver until one answer is 2xx; it may arrive twice. Without a receiver it is logged. */
export const notifyJob = notifyJobWith(10_000);

/** The same with another timeout for one answer. */
export function notifyJobWith(timeoutMs: number): JobDefinition {
  return defineJob({
    run: (deps, hold) => sendNotice(deps, hold, timeoutMs),
    retry: { firstSeconds: 10, mostSeconds: 3_600, runs: Number.POSITIVE_INFINITY, forSeconds: 86_400 },
    giveUp: "fail",
    whileDegraded: true,
  });
}

async function sendNotice(deps: Deps, hold: JobHold, timeoutMs: number): Promise<Outcome> {
  const { job } = hold;
  const { notifyUrl } = deps.config;
  const notice = noticeOf(job);
  if (notifyUrl === undefined) {
    deps.logger.warn({ notice }, "this may require manual action");
    return done();
  }
  const failure = await post(deps, hold, notifyUrl, timeoutMs);
  if (failure === undefined) return done();
  const line = { noticeId: job.id, type: notice.type, failure };
  const why = { provider: "notify", code: failure, message: failure, remedy: "", retryable: true };
  return failed(why, async (_tx, _failure, verdict) => {
    if (verdict === "gave_up")
      deps.logger.error(
        { ...line, notice },
        "the receiver did not accept a notice for a day: the broker gave up on it",
      );
    else deps.logger.warn(line, "the receiver did not accept a notice; the broker sends it again");
  });
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
        "user-agent": userAgent,
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
