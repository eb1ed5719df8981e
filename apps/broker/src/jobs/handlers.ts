import { issueLease } from "../verbs/leases/issue-lease.ts";
import { releaseAgain, releaseLease } from "../verbs/leases/release-lease.ts";
import type { JobKind } from "./new-job.ts";
import type { JobHandler } from "./runner.ts";

/** What each kind of job does. */
export const jobHandlers: Readonly<Record<JobKind, JobHandler>> = {
  issue: issueLease,
  release: releaseLease,
  "release-again": releaseAgain,
};
