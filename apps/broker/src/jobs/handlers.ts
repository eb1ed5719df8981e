import { sendNotice } from "../notify/send-notice.ts";
import { archiveLease } from "../verbs/databases/archive-database.ts";
import { dropArchived } from "../verbs/databases/drop-archived.ts";
import { removeArchive } from "../verbs/databases/remove-archive.ts";
import { movingDeadlineSeconds } from "../verbs/databases/request-archive.ts";
import { restoreLease } from "../verbs/databases/restore-database.ts";
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
  archive: { run: archiveLease, deadlineSeconds: movingDeadlineSeconds, movesContent: true },
  "drop-archived": { run: dropArchived, deadlineSeconds: 900 },
  restore: { run: restoreLease, deadlineSeconds: movingDeadlineSeconds, movesContent: true },
  "remove-archive": { run: removeArchive, deadlineSeconds: 300 },
  transfer: { run: runTransfer, deadlineSeconds: transferDeadlineSeconds, movesContent: true },
  "end-transfer": { run: endTransfer, deadlineSeconds: 900 },
  "plan-reissue": { run: planReissue, deadlineSeconds: 600 },
  reissue: { run: reissueLease },
  "rotate-credentials": { run: rotateCredentials, deadlineSeconds: 120 },
  "prove-dead": { run: proveOrgKeyDead },
  notify: { run: sendNotice },
};
