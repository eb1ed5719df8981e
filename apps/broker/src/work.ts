import { notifyJob } from "./notify/send-notice.ts";
import type { JobDefinition } from "./queue/define-job.ts";
import type { JobKind } from "./queue/new-job.ts";
import { archiveJob } from "./verbs/databases/archive-database.ts";
import { dropArchivedJob } from "./verbs/databases/drop-archived.ts";
import { removeArchiveJob } from "./verbs/databases/remove-archive.ts";
import { restoreJob } from "./verbs/databases/restore-database.ts";
import { issueJob } from "./verbs/leases/issue-lease.ts";
import { releaseAgainJob, releaseJob } from "./verbs/leases/release-lease.ts";
import { proveDeadJob } from "./verbs/org-keys/prove-dead.ts";
import { planRekeyJob } from "./verbs/rekey/plan-rekey.ts";
import { rekeyJob } from "./verbs/rekey/rekey-lease.ts";
import { rotateJob } from "./verbs/rotation/rotate-credentials.ts";
import { endNotesJob } from "./verbs/transfers/end-notes.ts";
import { endTransferJob } from "./verbs/transfers/end-transfer.ts";
import { moveJob } from "./verbs/transfers/run-transfer.ts";

/** THE list of work that outlives a request, with how long each kind is tried again and what then. */
export const jobDefinitions: Readonly<Record<JobKind, JobDefinition>> = {
  issue: issueJob,
  release: releaseJob,
  "release-again": releaseAgainJob,
  archive: archiveJob,
  "drop-archived": dropArchivedJob,
  restore: restoreJob,
  "remove-archive": removeArchiveJob,
  transfer: moveJob,
  "end-transfer": endTransferJob,
  "end-notes": endNotesJob,
  "plan-rekey": planRekeyJob,
  rekey: rekeyJob,
  rotate: rotateJob,
  "prove-dead": proveDeadJob,
  notify: notifyJob,
};
