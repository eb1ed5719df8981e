import { sendNotice } from "../notify/send-notice.ts";
import { issueLease } from "../verbs/leases/issue-lease.ts";
import { releaseAgain, releaseLease } from "../verbs/leases/release-lease.ts";
import type { JobKind } from "./new-job.ts";
import type { JobDefinition } from "./runner.ts";

/** What each kind of job does. */
export const jobDefinitions: Readonly<Partial<Record<JobKind, JobDefinition>>> = {
  issue: { run: issueLease },
  release: { run: releaseLease },
  "release-again": { run: releaseAgain },
  notify: { run: sendNotice },
};
