import { sendNotice } from "../notify/send-notice.ts";
import { issueLease } from "../verbs/leases/issue-lease.ts";
import { releaseAgain, releaseLease } from "../verbs/leases/release-lease.ts";
import { proveOrgKeyDead } from "../verbs/org-keys/prove-dead.ts";
import { planReissue } from "../verbs/rotation/plan-reissue.ts";
import { reissueLease } from "../verbs/rotation/reissue-lease.ts";
import { rotateCredentials } from "../verbs/rotation/rotate-credentials.ts";
import { endTransfer } from "../verbs/transfers/end-transfer.ts";
import { runTransfer } from "../verbs/transfers/run-transfer.ts";
import { transferDeadlineSeconds } from "../verbs/transfers/start-transfer.ts";
import type { JobKind } from "./new-job.ts";
import type { JobDefinition } from "./runner.ts";

/** What each kind of job does. */
export const jobDefinitions: Readonly<Partial<Record<JobKind, JobDefinition>>> = {
  issue: { run: issueLease },
  release: { run: releaseLease },
  "release-again": { run: releaseAgain },
  transfer: { run: runTransfer, deadlineSeconds: transferDeadlineSeconds },
  "end-transfer": { run: endTransfer, deadlineSeconds: 900 },
  "plan-reissue": { run: planReissue, deadlineSeconds: 600 },
  reissue: { run: reissueLease },
  "rotate-credentials": { run: rotateCredentials, deadlineSeconds: 120 },
  "prove-dead": { run: proveOrgKeyDead },
  notify: { run: sendNotice },
};
