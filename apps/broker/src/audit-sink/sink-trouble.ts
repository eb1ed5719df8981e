import { bySystem } from "../change.ts";
import type { Deps } from "../deps.ts";

const alarmAfterMs = 5 * 60_000;

/** Tells the log of a sink that fails, and a person once when it goes on failing. */
export function createSinkTrouble(deps: Pick<Deps, "logger" | "metrics" | "now" | "change">) {
  let now: { failure: string; since: number; isTold: boolean } | undefined;
  return {
    failure: () => now?.failure,
    end: () => {
      if (now !== undefined) deps.logger.info({}, "the audit sink accepts heads again");
      now = undefined;
    },
    note: async (failure: string): Promise<void> => {
      deps.metrics.auditSinkFailures.inc();
      deps.logger.warn({ failure }, "the audit sink did not accept a head; the broker sends it again");
      now = { since: deps.now(), isTold: false, ...now, failure };
      if (now.isTold || deps.now() - now.since < alarmAfterMs) return;
      now = { ...now, isTold: true };
      const notice = {
        type: "audit.sink_failing",
        message: `the audit sink does not accept heads (${failure})`,
        remedy:
          "Check the place that KEYLOAN_AUDIT_SINK names; missed heads are delivered when it works again.",
      } as const;
      await deps.change(bySystem("audit-sink"), [], async (tx) => tx.notice(notice));
    },
  };
}
