import { type ClaimedJob, endedWithProcess } from "@keyloan/store";
import type { Unit } from "../change.ts";
import type { Deps } from "../deps.ts";
import { backoffMs } from "./backoff.ts";
import { requireAction } from "./require-action.ts";

const firstWaitMs = 5_000;
const waitMsMax = 600_000;
const runsMax = 8;
/** Begun more often than this, and the process gone at the last: the job may be what ends it. */
const begunMax = 5;
const hourMs = 3_600_000;

/** Gives a job back whose handler broke, which is a mistake of ours; one that goes on breaking is told to a person. */
export async function giveBackAfterCrash(deps: Deps, tx: Unit, job: ClaimedJob): Promise<boolean> {
  const { id, fence, kind, attempts } = job;
  const errorCode = "unexpected failure";
  // A notice about a notice that cannot be sent would not be sent either.
  if (attempts < runsMax || kind === "notify") {
    const waitMs = backoffMs(deps.randomBytes, attempts - 1, firstWaitMs, waitMsMax);
    return tx.jobs.retry(id, fence, deps.now() + waitMs, errorCode);
  }
  const action = {
    message: `A job of the kind ${kind} crashes each time it runs.`,
    steps: [
      { text: `Look for ${id} in the broker's log: it shows where the job crashes.` },
      {
        text: "The broker tries it again automatically, every hour; a newer version of the broker may fix it.",
      },
    ],
  };
  return requireAction(deps, tx, job, action, errorCode, deps.now() + hourMs);
}

/** Whether a job that was claimed may be what ends the process each time; a notice calls nothing that could. */
export function mayEndProcess({ kind, attempts, lastError }: ClaimedJob): boolean {
  return lastError === endedWithProcess && attempts > begunMax && kind !== "notify";
}

/**
 * Holds back a job that may be what ends the process, and tells a person.
 * @param waits it is not tried again before a person says so; else in an hour
 */
export async function holdBack(deps: Deps, tx: Unit, job: ClaimedJob, waits: boolean): Promise<boolean> {
  const { id, kind, attempts } = job;
  const action = {
    message: `The broker ended while running a job of the kind ${kind}, which has been started ${attempts - 1} times.`,
    steps: [
      {
        text: "Find out why the broker ended: look at its log, and at what the system reports about its memory.",
      },
      {
        text: waits
          ? `When that is fixed, run it with \`keyloan jobs retry ${id}\`: it does not run again automatically.`
          : "When that is fixed, you do not need to do anything: the broker tries again automatically in an hour.",
      },
    ],
  };
  const runAgainAt = waits ? undefined : deps.now() + hourMs;
  return requireAction(deps, tx, job, action, "unexpected failure", runAgainAt);
}
