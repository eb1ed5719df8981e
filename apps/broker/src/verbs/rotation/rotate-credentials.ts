import { type Connector, type Issuer, ProviderError } from "@keyloan/contract";
import type { ClaimedJob, LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { issuerOf } from "../../issuer-of.ts";
import { withRetry } from "../../queue/backoff.ts";
import { defineJob, type JobHold } from "../../queue/define-job.ts";
import { again, done, type Failure, type Outcome, type RequiredAction } from "../../queue/outcome.ts";
import { withKeyToIssue } from "../leases/org-credential.ts";
import { planned } from "../leases/planned-lease.ts";
import { recordValues } from "../leases/record-values.ts";
import { takeBack } from "../leases/take-back.ts";
import { proveOldCredentials } from "./prove-old-credentials.ts";
import { type RotationPayload, rotationPayload } from "./rotation-payload.ts";

const changedWaitMs = 500;

/**
 * Replaces the credentials of one lease: with an overlap first a second one beside the old, then the cut that ends
 * every one that is out and gives a new one, then the proof that the old ones are dead. Each step is in the payload
 * before the next begins.
 */
export const rotateJob = defineJob({
  run: rotateCredentials,
  deadlineSeconds: 120,
  retry: { firstSeconds: 4, mostSeconds: 60, runs: 8 },
  giveUp: { ask: whatToDo, keepsTrying: true },
  resolved: ({ connectorId }) =>
    `The old credentials of ${connectorId} are dead now: you do not need to do anything any more.`,
});

async function rotateCredentials(deps: Deps, hold: JobHold): Promise<Outcome> {
  const payload = rotationPayload(hold.job);
  const lease = await deps.store.read.leases.find(hold.job.entityId);
  const connector = lease === undefined ? undefined : deps.connectors.get(lease.connectorId);
  const hasEnded = payload.phase === "done" || payload.phase === "ended";
  if (hasEnded || lease?.state !== "active" || lease.env === null || connector === undefined)
    return endWithLease(hold, payload);
  if (payload.phase === "mint") return overlap(deps, hold, connector, lease, payload);
  const { overlapUntil = 0 } = payload;
  const leftMs = overlapUntil - deps.now();
  // More than the whole overlap is left when the clock was set back: this run means that the cut is due.
  if (payload.phase === "wait" && leftMs > 0 && leftMs <= payload.overlapSeconds * 1000)
    return again(overlapUntil, "waits for the cut");
  if (payload.phase === "prove") return proveOldCredentials(deps, hold, connector, lease, payload);
  return cut(deps, hold, connector, lease, payload);
}

/** A second credential, which the env gives from now on; the first works until the cut. */
async function overlap(
  deps: Deps,
  hold: JobHold,
  connector: Connector,
  lease: LeaseRow,
  payload: RotationPayload,
): Promise<Outcome> {
  const overlapUntil = deps.now() + payload.overlapSeconds * 1000;
  const failure = await replace(deps, hold, connector, lease, {
    make: issuerOf(deps, connector).renew,
    action: "lease.second_credential",
    details: { overlapUntil },
    payload: () => ({ ...payload, phase: "wait", old: withOld(payload, lease), overlapUntil }),
  });
  return failure ?? again(overlapUntil, "waits for the cut");
}

/** Ends every credential that is out and gives a new one, then proves that the old ones are dead. */
async function cut(
  deps: Deps,
  hold: JobHold,
  connector: Connector,
  lease: LeaseRow,
  payload: RotationPayload,
): Promise<Outcome> {
  // Values that nobody outside the app checks cannot be asked about anywhere.
  const isProvable = connector.spec.orgFields.length > 0;
  const next: RotationPayload = isProvable
    ? { ...payload, phase: "prove", old: withOld(payload, lease) }
    : { ...payload, phase: "done", old: [] };
  const failure = await replace(deps, hold, connector, lease, {
    make: issuerOf(deps, connector).rotate,
    action: "lease.rotated",
    details: { ...(payload.reason === undefined ? {} : { reason: payload.reason }) },
    // Whatever was read until now is what was cut.
    payload: () => ({ ...next, cutAt: deps.now() }),
  });
  if (failure !== undefined) return failure;
  const now = isProvable ? await deps.store.read.leases.find(lease.id) : undefined;
  if (now?.state !== "active") return done();
  return proveOldCredentials(deps, hold, connector, now, { ...next, cutAt: deps.now() });
}

/** The values a lease has now belong to what is to be proven dead; a cut that is repeated adds them once. */
function withOld({ old }: RotationPayload, { env }: LeaseRow): readonly string[] {
  return env === null || old.includes(env) ? old : [...old, env];
}

type Replacement = {
  readonly make: Issuer["renew"] | Issuer["rotate"];
  readonly action: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly payload: () => RotationPayload;
};

/** @returns how the run ends when the lease has no new values; `undefined` when it has */
async function replace(
  deps: Deps,
  hold: JobHold,
  connector: Connector,
  lease: LeaseRow,
  { make, action, details, payload }: Replacement,
): Promise<Outcome | undefined> {
  if (make === undefined)
    throw new ProviderError(lease.connectorId, "rejected", "cannot replace a single credential");
  const untilMs = deps.now() + deps.config.issueDeadlineSeconds * 1000;
  const { made: values, version } = await withRetry(deps, { untilMs, signal: hold.cancelled }, () =>
    withKeyToIssue(deps, connector, (org) =>
      make(deps.contextFor(connector, hold.signal), org, planned(lease)),
    ),
  );
  const fresh = { values, orgKeyVersion: version, action, details, payload: payload() };
  const outcome = await recordValues(deps, hold, lease, fresh);
  if (outcome === "recorded") return undefined;
  if (outcome === "changed") return again(deps.now() + changedWaitMs, "the lease changed meanwhile");
  if (outcome === "ended") await takeBack(deps, hold, lease, version);
  return done();
}

/** The lease holds nothing any more: what there was to be proven has died with it. */
function endWithLease({ job: { id, fence } }: JobHold, payload: RotationPayload): Outcome {
  const phase = payload.phase === "done" ? "done" : "ended";
  return done((tx) => tx.jobs.setPayload(id, fence, { ...payload, phase, old: [] }));
}

async function whatToDo(_deps: Deps, job: ClaimedJob, { message, remedy }: Failure): Promise<RequiredAction> {
  return {
    message: `The credentials of ${job.connectorId} could not be replaced: ${message}.`,
    steps: [
      { text: `What happened: ${message}. ${remedy}` },
      {
        text: `When that is fixed, run \`keyloan jobs retry ${job.id}\`; the broker also tries again every hour.`,
      },
      { text: "If it must end at once, end the build: `keyloan build close` revokes everything lent to it." },
    ],
  };
}
