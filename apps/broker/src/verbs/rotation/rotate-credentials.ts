import { type Connector, type Issuer, ProviderError } from "@keyloan/contract";
import type { LeaseRow, Tables } from "@keyloan/store";
import { byJob } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { issuerOf } from "../../issuer-of.ts";
import { backoffMs, isBusyForNow, withRetry } from "../../jobs/backoff.ts";
import { needHands } from "../../jobs/hands.ts";
import type { JobHold } from "../../jobs/runner.ts";
import { toStoredError } from "../leases/issue-lease.ts";
import { withKeyToIssue } from "../leases/org-credential.ts";
import { planned } from "../leases/planned-lease.ts";
import { takeBack } from "./end-late.ts";
import { proveOldCredentials } from "./prove-old-credentials.ts";
import { recordValues } from "./record-values.ts";
import { type RotationPayload, rotationPayload } from "./rotation-payload.ts";

const firstRunWaitMs = 2_000;
const runWaitMsMax = 60_000;
const runsMax = 8;
const hourMs = 3_600_000;
const changedWaitMs = 500;

/**
 * Replaces the credentials of one lease: with an overlap first a second one beside the old, then the cut that ends
 * every one that is out and gives a new one, then the proof that the old ones are dead. Each step is in the payload
 * before the next begins.
 */
export async function rotateCredentials(deps: Deps, hold: JobHold): Promise<void> {
  const payload = rotationPayload(hold.job);
  const lease = await deps.store.read.leases.find(hold.job.entityId);
  const connector = lease === undefined ? undefined : deps.connectors.get(lease.connectorId);
  if (lease?.state !== "active" || lease.env === null || connector === undefined) {
    return endWithLease(deps, hold, payload);
  }
  if (payload.phase === "done" || payload.phase === "ended") return endWithLease(deps, hold, payload);
  try {
    if (payload.phase === "mint") return await overlap(deps, hold, connector, lease, payload);
    const { overlapUntil = 0 } = payload;
    const leftMs = overlapUntil - deps.now();
    // More than the whole overlap is left when the clock was set back: it was due, or it were not run.
    if (payload.phase === "wait" && leftMs > 0 && leftMs <= payload.overlapSeconds * 1000) {
      return await giveBack(deps, hold, overlapUntil);
    }
    if (payload.phase === "prove") return await proveOldCredentials(deps, hold, connector, lease, payload);
    await cut(deps, hold, connector, lease, payload);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    await recordFailure(deps, hold, lease, error);
  }
}

/** A second credential, which the env gives from now on; the first works until the cut. */
async function overlap(
  deps: Deps,
  hold: JobHold,
  connector: Connector,
  lease: LeaseRow,
  payload: RotationPayload,
): Promise<void> {
  const overlapUntil = deps.now() + payload.overlapSeconds * 1000;
  const next = { ...payload, phase: "wait", old: withOld(payload, lease), overlapUntil } as const;
  const { job } = hold;
  await replace(deps, hold, connector, lease, {
    make: issuerOf(deps, connector).renew,
    action: "lease.second_credential",
    details: { overlapUntil },
    keepJob: async (tables) =>
      (await tables.jobs.setPayload(job.id, job.fence, next)) &&
      (await tables.jobs.postpone(job.id, job.fence, overlapUntil, "waits for the cut")),
  });
}

/** Ends every credential that is out and gives a new one, then proves that the old ones are dead. */
async function cut(
  deps: Deps,
  hold: JobHold,
  connector: Connector,
  lease: LeaseRow,
  payload: RotationPayload,
): Promise<void> {
  const { job } = hold;
  // Values that nobody outside the app checks cannot be asked about anywhere.
  const isProvable = connector.spec.orgFields.length > 0;
  const done: RotationPayload = isProvable
    ? { ...payload, phase: "prove", old: withOld(payload, lease) }
    : { ...payload, phase: "done", old: [] };
  const replaced = await replace(deps, hold, connector, lease, {
    make: issuerOf(deps, connector).rotate,
    action: "lease.rotated",
    details: { ...(payload.reason === undefined ? {} : { reason: payload.reason }) },
    keepJob: async (tables) =>
      // Whatever was read until now is what was cut.
      (await tables.jobs.setPayload(job.id, job.fence, { ...done, cutAt: deps.now() })) &&
      (isProvable || (await tables.jobs.finish(job.id, job.fence, "done", undefined, deps.now()))),
  });
  if (!replaced || !isProvable) return;
  const now = await deps.store.read.leases.find(lease.id);
  const next = { ...done, cutAt: deps.now() };
  if (now?.state === "active") await proveOldCredentials(deps, hold, connector, now, next);
}

/** The values a lease has now belong to what is to be proven dead; a cut that is repeated adds them once. */
function withOld({ old }: RotationPayload, { env }: LeaseRow): readonly string[] {
  return env === null || old.includes(env) ? old : [...old, env];
}

type Replacement = {
  readonly make: Issuer["renew"] | Issuer["rotate"];
  readonly action: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly keepJob: (tables: Tables) => Promise<boolean>;
};

/** @returns whether the lease has the new values */
async function replace(
  deps: Deps,
  hold: JobHold,
  connector: Connector,
  lease: LeaseRow,
  { make, action, details, keepJob }: Replacement,
): Promise<boolean> {
  if (make === undefined)
    throw new ProviderError(lease.connectorId, "rejected", "cannot replace a credential alone");
  const { job } = hold;
  const untilMs = deps.now() + deps.config.issueDeadlineSeconds * 1000;
  const { made: values, version } = await withRetry(deps, { untilMs, signal: hold.cancelled }, () =>
    withKeyToIssue(deps, connector, (org) =>
      make(deps.contextFor(connector, hold.signal), org, planned(lease)),
    ),
  );
  const outcome = await recordValues(deps, lease, {
    values,
    orgKeyVersion: version,
    by: byJob(job),
    action,
    details,
    keepJob,
  });
  if (outcome === "changed") await giveBack(deps, hold, deps.now() + changedWaitMs);
  if (outcome === "ended") await takeBack(deps, hold, lease, version);
  return outcome === "recorded";
}

async function giveBack(deps: Deps, { job }: JobHold, runAfter: number): Promise<void> {
  await deps.store.write([job.entityId], (tables) =>
    tables.jobs.postpone(job.id, job.fence, runAfter, "goes on later"),
  );
}

/** The lease holds nothing any more: what there was to be proven has died with it. */
async function endWithLease(deps: Deps, { job }: JobHold, payload: RotationPayload): Promise<void> {
  const phase = payload.phase === "done" ? "done" : "ended";
  await deps.store.write([job.entityId], async (tables) => {
    await tables.jobs.setPayload(job.id, job.fence, { ...payload, phase, old: [] });
    await tables.jobs.finish(job.id, job.fence, "done", undefined, deps.now());
  });
}

async function recordFailure(
  deps: Deps,
  { job }: JobHold,
  lease: LeaseRow,
  error: ProviderError,
): Promise<void> {
  const waitMs = backoffMs(deps.randomBytes, job.attempts, firstRunWaitMs, runWaitMsMax);
  const runAfter = deps.now() + Math.max(waitMs, (error.retryAfterSeconds ?? 0) * 1000);
  const { message, remedy } = toStoredError(error);
  await deps.change(byJob(job), [lease.buildId], async (tx) => {
    if (isBusyForNow(deps, job, error)) {
      await tx.jobs.postpone(job.id, job.fence, runAfter, error.code);
    } else if (error.retryable && job.attempts < runsMax) {
      await tx.jobs.retry(job.id, job.fence, runAfter, error.code);
    } else {
      await needHands(deps, tx, job, undefined, {
        message: `The credentials of ${lease.connectorId} could not be replaced: ${message}.`,
        steps: [
          { text: `What happened: ${message}. ${remedy}` },
          {
            text: `When that is mended, run \`keyloan jobs retry ${job.id}\`; it is tried again every hour too.`,
          },
          {
            text: "What must end at once ends with the build: `keyloan build close` revokes all it was lent.",
          },
        ],
        errorCode: error.code,
        runAgainAt: deps.now() + hourMs,
      });
    }
  });
}
