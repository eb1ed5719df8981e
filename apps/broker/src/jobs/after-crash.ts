import type { ClaimedJob, Tables } from "@keyloan/store";
import type { Deps } from "../deps.ts";
import { backoffMs } from "./backoff.ts";
import { needHands } from "./hands.ts";

const firstWaitMs = 5_000;
const waitMsMax = 600_000;
const runsMax = 8;
const hourMs = 3_600_000;

/** Gives a job back whose handler broke, which is a mistake of ours; one that goes on breaking is told to a person. */
export async function giveBackAfterCrash(deps: Deps, tables: Tables, job: ClaimedJob): Promise<boolean> {
  const { id, fence, kind, attempts } = job;
  const errorCode = "unexpected failure";
  // A notice about a notice that cannot be sent would not be sent either.
  if (attempts < runsMax || kind === "notify") {
    const waitMs = backoffMs(deps.randomBytes, attempts - 1, firstWaitMs, waitMsMax);
    return tables.jobs.retry(id, fence, deps.now() + waitMs, errorCode);
  }
  return needHands(deps, tables, job, undefined, {
    message: `A job of the kind ${kind} breaks each time it is run.`,
    steps: [
      { text: `Look for ${id} in the broker's log: it tells where it breaks.` },
      { text: "It is tried again by itself, every hour; a newer version of the broker may mend it." },
    ],
    errorCode,
    runAgainAt: deps.now() + hourMs,
  });
}
