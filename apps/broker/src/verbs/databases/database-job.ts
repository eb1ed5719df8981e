import type { ClaimedJob } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { describeError } from "../../observe/logger.ts";
import type { GiveUp, JobHold } from "../../queue/define-job.ts";
import { again, type Failure, type Outcome, type RequiredAction } from "../../queue/outcome.ts";
import { toDatabaseError } from "./database-errors.ts";

const stoppedWaitMs = 5_000;

/** The work was stopped from outside: its end is nobody's fault, and another run goes on. */
export function stopped({ now }: Pick<Deps, "now">): Outcome {
  return again(now() + stoppedWaitMs, "stopped");
}

/** A failure of work on a database, in words that can be shown; what broke is in the log. */
export function databaseFailure(deps: Pick<Deps, "logger">, { job }: JobHold, error: unknown): Failure {
  const failure = toDatabaseError(error, job.connectorId ?? "");
  if (failure.code === "internal") {
    const line = { jobId: job.id, kind: job.kind, ...describeError(error) };
    deps.logger.error(line, "work on a database failed unexpectedly");
  }
  return failure;
}

/**
 * The policy of work that must come to its end: a person is asked, and it is still tried every hour.
 * @param what how it stands then, after "A database at …"
 */
export function untilItEnds(what: string) {
  return {
    retry: { firstSeconds: 10, mostSeconds: 3_600, runs: 10, refusedRuns: 10 },
    giveUp: { ask: askAboutDatabase(what), keepsTrying: true },
  } as const;
}

/** What a person is told, after "A database at …". */
export function askAboutDatabase(what: string): GiveUp["ask"] {
  return async (_deps: Deps, { connectorId }: ClaimedJob, failure: Failure): Promise<RequiredAction> => ({
    message: `A database at ${connectorId} ${what}: ${failure.message}.`,
    steps: [
      { text: `What happened: ${failure.message}. ${failure.remedy}` },
      {
        text: "When that is fixed, you do not need to do anything: the broker tries again automatically, every hour.",
      },
    ],
  });
}
