import type { Connector, SecretValues, ValidationResult } from "@keyloan/contract";
import { validateKeys } from "@keyloan/key-validator";
import type { LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { backoffMs } from "../../queue/backoff.ts";
import type { JobHold } from "../../queue/define-job.ts";
import { again, done, type Outcome, requiresAction } from "../../queue/outcome.ts";
import { keepPayload } from "../../queue/step.ts";
import { withOpenKey } from "../../sealing/data-key.ts";
import { openLease } from "../../sealing/lease-values.ts";
import type { RotationPayload } from "./rotation-payload.ts";

const firstWaitMs = 500;
const waitMsMax = 30_000;
/** What a provider may need until an ended credential is refused everywhere (R2: a minute). */
const graceMs = 5 * 60_000;
/** How long a provider that cannot be asked is waited for. */
const unaskedMs = 3_600_000;
/** After that time a new credential that is refused was not just slow to arrive. */
const settledMs = 30_000;
const recutsMax = 3;

/**
 * Asks the provider about every old credential. They are dead when it refuses them and takes the new one, asked at
 * the same moment: an outage proves nothing. What lives on too long requires manual action.
 */
export async function proveOldCredentials(
  deps: Deps,
  hold: JobHold,
  connector: Connector,
  lease: LeaseRow,
  payload: RotationPayload,
): Promise<Outcome> {
  const cutAt = payload.cutAt ?? deps.now();
  if (cutAt > deps.now()) {
    // The clock was set back since: the time that a provider may need begins anew, rather than never to end.
    const begun = { ...payload, cutAt: deps.now() };
    await keepPayload(deps, hold, begun);
    return proveOldCredentials(deps, hold, connector, lease, begun);
  }
  const opened = await openAll(deps, lease, payload.old);
  const ask = (values: SecretValues) =>
    validateKeys({
      fields: connector.spec.env,
      values,
      check: connector.validate,
      context: deps.contextFor(connector, hold.signal),
    });
  const answers = opened === undefined ? [] : await Promise.all(opened.old.map(ask));
  const now = opened === undefined ? undefined : await ask(opened.current);
  if (opened !== undefined && answers.every(isRefused) && now?.status === "valid") {
    return isDead(deps, hold, lease, payload);
  }
  const sinceMs = Math.max(deps.now() - cutAt, 0);
  if (now !== undefined && isRefused(now) && sinceMs > settledMs && payload.recuts < recutsMax) {
    // A cut of ours that came late at the provider has ended the new one too.
    const recut = { ...payload, phase: "cut", recuts: payload.recuts + 1 } as const;
    await keepPayload(deps, hold, recut);
    return again(deps.now(), "the new credential is refused");
  }
  return waitOrAsk(deps, connector, lease, { lives: answers.some(lives), sinceMs });
}

// Dead is only what the provider itself refuses. A host that is gone, or an answer that makes no sense, is no proof.
const isRefused = (answer: ValidationResult) => answer.status === "invalid" && answer.code === "rejected";
const lives = (answer: ValidationResult) =>
  answer.status === "valid" || (answer.status === "invalid" && answer.code === "lacks_permission");

/** The old values and those of now; `undefined` when the build's data key is gone, and with it the build. */
async function openAll(
  deps: Deps,
  lease: LeaseRow,
  envelopes: readonly string[],
): Promise<{ readonly old: readonly SecretValues[]; readonly current: SecretValues } | undefined> {
  const row = await deps.store.read.dataKeys.findByOwner(lease.buildId);
  if (row === undefined || lease.env === null) return undefined;
  const { env } = lease;
  return withOpenKey(deps, row, (key) => {
    const open = (envelope: string) => openLease(key, lease.id, envelope);
    return { old: envelopes.map(open), current: open(env) };
  });
}

function isDead(deps: Deps, { job }: JobHold, lease: LeaseRow, payload: RotationPayload): Outcome {
  const ended = { ...payload, phase: "done", old: [], provenDeadAt: deps.now() } as const;
  return done(async (tx) => {
    await tx.jobs.setPayload(job.id, job.fence, ended);
    const details = { connector: lease.connectorId, lease: lease.id, credentials: payload.old.length };
    tx.audit("lease.credentials_dead", lease.buildId, details);
  });
}

function waitOrAsk(
  deps: Deps,
  connector: Connector,
  lease: LeaseRow,
  found: { readonly lives: boolean; readonly sinceMs: number },
): Outcome {
  const mostMs = found.lives ? graceMs : unaskedMs;
  const why = found.lives ? "still works" : "not known";
  if (found.sinceMs < mostMs) {
    const stage = Math.floor(Math.log2(1 + found.sinceMs / firstWaitMs));
    const waitMs = backoffMs(deps.randomBytes, stage, firstWaitMs, waitMsMax);
    return again(deps.now() + waitMs, `the old credential: ${why}`);
  }
  const { label, guide } = connector.spec;
  const names = Object.values(lease.handle).join(", ") || "what the build uses";
  const message = found.lives
    ? `An old credential of ${lease.connectorId} still works although it was ended.`
    : `The broker could not find out whether the old credentials of ${lease.connectorId} are dead.`;
  const steps = [
    {
      text: `Look at ${label} for ${names} and end the old credential there.`,
      ...(guide === undefined ? {} : { url: guide.url }),
    },
    { text: "The broker asks again every hour and notices automatically when it is dead." },
    { text: "`keyloan build close` ends everything of the build." },
  ];
  return requiresAction({ message, steps }, why);
}
