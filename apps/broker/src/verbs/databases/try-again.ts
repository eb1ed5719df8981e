import { BrokerError, ProviderError } from "@keyloan/contract";
import type { ClaimedJob } from "@keyloan/store";
import { byJob } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { backoffMs, isBusyForNow } from "../../jobs/backoff.ts";
import { needHands } from "../../jobs/hands.ts";
import { toDatabaseError } from "./database-errors.ts";

const firstWaitMs = 5_000;
const waitMsMax = 3_600_000;
const runsMax = 10;

/**
 * Gives back a job that must come to its end, ever more seldom; when it keeps failing a person is told, and it is
 * still tried every hour.
 * @param what how it stands then, in one sentence without its full stop
 * @throws an error that is neither the provider's nor the store of archives'
 */
export async function tryAgain(deps: Deps, job: ClaimedJob, what: string, error: unknown): Promise<void> {
  if (!(error instanceof ProviderError) && !(error instanceof BrokerError)) throw error;
  const { code, message, remedy } = toDatabaseError(error, job.connectorId ?? "");
  const waitMs = backoffMs(deps.randomBytes, job.attempts, firstWaitMs, waitMsMax);
  const runAgainAt = deps.now() + Math.max(waitMs, (error.retryAfterSeconds ?? 0) * 1000);
  await deps.change(byJob(job), [job.buildId ?? job.entityId], async (tx) => {
    if (isBusyForNow(deps, job, error)) {
      await tx.jobs.postpone(job.id, job.fence, runAgainAt, code);
    } else if (job.attempts < runsMax) {
      await tx.jobs.retry(job.id, job.fence, runAgainAt, code);
    } else {
      await needHands(deps, tx, job, undefined, {
        message: `${what}: ${message}.`,
        steps: [
          { text: `What happened: ${message}. ${remedy}` },
          { text: "When that is mended nothing is to be done: it is tried again by itself, every hour." },
        ],
        errorCode: code,
        runAgainAt,
      });
    }
  });
}
