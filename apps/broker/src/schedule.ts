import { bySystem } from "./change.ts";
import type { Deps } from "./deps.ts";
import type { BrokerConfig } from "./env.ts";
import { describeError } from "./observe/logger.ts";
import { remindOfActions } from "./queue/remind.ts";
import { isDegraded } from "./verbs/audit/audit-standing.ts";
import { signAuditHead } from "./verbs/audit/sign-head.ts";
import { sweepArchives } from "./verbs/databases/remove-archive.ts";
import { usageIntervalMs, watchUsage } from "./verbs/databases/watch-usage.ts";
import { endDueLendings } from "./verbs/lending/end-lending.ts";
import { checkOrgKeys } from "./verbs/org-keys/check-org-keys.ts";
import { remindOfOldKeys, sweepReplacedKeys } from "./verbs/org-keys/sweep-org-keys.ts";
import { sweepStartOvers } from "./verbs/person/execute-start-over.ts";
import { reconcile } from "./verbs/reconcile/reconcile.ts";
import { sweepTransfers } from "./verbs/transfers/sweep-transfers.ts";

/** Recurring work; of all brokers on a store, one does it each time. */
export type ScheduledWork = {
  readonly name: string;
  /** 0 or less: never. */
  readonly everyMs: (config: BrokerConfig) => number;
  readonly run: (deps: Deps, signal: AbortSignal) => Promise<unknown>;
  /** It only looks and tells. What ends or replaces something waits while the store is not what was signed. */
  readonly whileDegraded?: true;
};

const hourMs = 3_600_000;

/** THE list of recurring work. */
export const scheduledWork: readonly ScheduledWork[] = [
  { name: "audit-head", everyMs: () => 60_000, run: signAuditHead, whileDegraded: true },
  {
    name: "org-key-check",
    everyMs: ({ orgKeyCheckHours }) => orgKeyCheckHours * hourMs,
    run: checkOrgKeys,
    whileDegraded: true,
  },
  {
    name: "prove-dead",
    everyMs: () => 60_000,
    run: sweepReplacedKeys,
  },
  {
    name: "org-key-age",
    everyMs: ({ orgKeyMaxDays }) => (orgKeyMaxDays > 0 ? hourMs : 0),
    run: remindOfOldKeys,
    whileDegraded: true,
  },
  {
    name: "action-reminder",
    everyMs: () => 60_000,
    run: remindOfActions,
    whileDegraded: true,
  },
  {
    name: "reconcile",
    everyMs: ({ reconcileHours }) => reconcileHours * hourMs,
    run: (deps, signal) => reconcile(deps, bySystem("reconcile"), { dryRun: false }, signal),
  },
  {
    name: "lending-end",
    everyMs: () => 60_000,
    run: endDueLendings,
  },
  {
    name: "transfer-sweep",
    everyMs: () => 60_000,
    run: sweepTransfers,
  },
  {
    name: "start-over",
    everyMs: () => 60_000,
    run: sweepStartOvers,
  },
  {
    name: "database-usage",
    everyMs: usageIntervalMs,
    run: watchUsage,
  },
  {
    name: "archive-sweep",
    everyMs: () => 24 * hourMs,
    run: sweepArchives,
  },
];

/**
 * Does what is due now and no other broker has taken. An older copy of the store does not know what was answered,
 * switched or renewed since: by it nothing ends. A failure is logged, and the work runs again at its next turn.
 */
export async function runDueWork(deps: Deps, signal: AbortSignal): Promise<void> {
  const onlyTells = await isDegraded(deps);
  for (const { name, everyMs, run, whileDegraded = false } of scheduledWork) {
    const interval = everyMs(deps.config);
    if (interval <= 0 || signal.aborted || (onlyTells && !whileDegraded)) continue;
    try {
      const now = deps.now();
      if (!(await deps.store.write([name], (tables) => tables.schedules.take(name, now, interval)))) continue;
      await run(deps, signal);
      deps.workWatch.noteDone(name);
    } catch (error) {
      deps.workWatch.noteFailure(name);
      deps.logger.error(
        { work: name, ...describeError(error) },
        "scheduled work failed; it runs again at its next time",
      );
    }
  }
}
