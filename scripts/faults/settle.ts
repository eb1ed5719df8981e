import { setTimeout as delay } from "node:timers/promises";
import type { Run } from "./run.ts";

const pollMs = 40;
const settleTimeoutMs = 45_000;
/** What is due later than this is no part of what a crash interrupted. */
const soonMs = 15 * 60_000;

type OpenJob = {
  readonly kind: string;
  readonly run_after: number;
  readonly locked_by: string | null;
  readonly locked_until: number | null;
  readonly last_error: string | null;
};

/**
 * Resolves when no job is due soon and nothing is between two states. Waits of the broker are cut short by its
 * clock: a hold of a dead process, a pause before the next try.
 */
export async function settle(run: Run): Promise<void> {
  const deadline = performance.now() + settleTimeoutMs;
  let idleSince: number | undefined;
  for (;;) {
    const left = whatIsLeft(run);
    if (left.length === 0) {
      // One more look: what has just ended may have written what comes next.
      if (idleSince !== undefined && performance.now() - idleSince > 2 * pollMs) return;
      idleSince ??= performance.now();
    } else {
      idleSince = undefined;
      await cutWaits(run);
    }
    if (performance.now() > deadline) throw new Error(`does not come to rest: ${left.join("; ")}`);
    await delay(pollMs);
  }
}

function openJobs(run: Run): readonly OpenJob[] {
  return run.rows<OpenJob>(
    "SELECT kind, run_after, locked_by, locked_until, last_error FROM jobs WHERE state = 'waiting' AND kind <> 'notify'",
  );
}

function whatIsLeft(run: Run): string[] {
  const soon = openJobs(run).filter(({ run_after }) => run_after < run.now() + soonMs);
  const between = run.rows<{ what: string }>(
    `SELECT 'build ' || state AS what FROM builds WHERE state IN ('provisioning', 'closing')
     UNION ALL SELECT 'archive ' || state FROM archives WHERE state = 'writing'
     UNION ALL SELECT 'transfer ' || state FROM transfers WHERE state IN ('waiting', 'copying')
     UNION ALL SELECT 'start over' FROM start_overs WHERE state = 'waiting' AND due_at <= CAST(? AS INTEGER)`,
    String(run.now()),
  );
  return [
    ...soon.map(({ kind, last_error }) => `job ${kind}${last_error === null ? "" : ` (${last_error})`}`),
    ...between.map(({ what }) => what),
  ];
}

/** Moves the clock past the wait when every job that is left waits for its time. */
async function cutWaits(run: Run): Promise<void> {
  const now = run.now();
  const jobs = openJobs(run).filter(({ run_after }) => run_after < now + soonMs);
  const waits = jobs.map(({ run_after, locked_by, locked_until }) =>
    locked_by === null ? run_after - now : run.isDead(locked_by) ? (locked_until ?? now) - now : 0,
  );
  const shortest = Math.min(...waits);
  if (waits.length > 0 && shortest > 500) await run.advance(shortest + 1);
}
