import { BrokerError, type RotationState, type RotationView } from "@keyloan/contract";
import type { JobRow, LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import { type RotationPayload, rotationPayload } from "./rotation-payload.ts";

/**
 * How far the newest rotation of a lease is.
 * @throws BrokerError `not_found`
 */
export async function showRotation(deps: Pick<Deps, "store">, leaseId: string): Promise<RotationView> {
  const lease = await deps.store.read.leases.find(leaseId);
  if (lease === undefined) throw leaseNotFound(leaseId);
  const jobs = (await deps.store.read.jobs.listByEntity(leaseId)).filter(({ kind }) => kind === "rotate");
  const newest = jobs.toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))[0];
  if (newest !== undefined) return rotationView(lease, newest);
  throw new BrokerError(
    "not_found",
    "the credentials of this lease were never replaced, or a long time ago",
    {
      remedy: "Replace them with `keyloan lease rotate`; the audit shows older replacements.",
    },
  );
}

/** A rotation as the API shows it: states and times, never a value. */
export function rotationView(lease: LeaseRow, job: JobRow): RotationView {
  const payload = rotationPayload(job);
  const state = stateOf(job, payload);
  const { overlapUntil, cutAt, provenDeadAt } = payload;
  return {
    lease: lease.id,
    build: lease.buildId,
    connector: lease.connectorId,
    job: job.id,
    state,
    startedAt: isoTime(job.createdAt),
    ...(overlapUntil === undefined ? {} : { overlapUntil: isoTime(overlapUntil) }),
    ...(cutAt === undefined ? {} : { cutAt: isoTime(cutAt) }),
    provenDead: provenDeadAt !== undefined,
    ...(provenDeadAt === undefined ? {} : { provenDeadAt: isoTime(provenDeadAt) }),
    next: nextOf(state, payload, job.id),
  };
}

const phaseStates = {
  mint: "minting",
  wait: "overlapping",
  cut: "cutting",
  prove: "proving",
  done: "done",
  ended: "ended",
} as const;

function stateOf(job: JobRow, { phase }: RotationPayload): RotationState {
  if (job.state === "requires_action" || job.state === "failed" || job.state === "cancelled")
    return job.state;
  return phaseStates[phase];
}

function nextOf(state: RotationState, payload: RotationPayload, jobId: string): string {
  const { cutAt, overlapUntil, provenDeadAt } = payload;
  const fetchAgain =
    cutAt === undefined
      ? ""
      : ` Apps must fetch the env again: what they fetched before ${isoTime(cutAt)} no longer works.`;
  switch (state) {
    case "minting":
      return "A second credential is being made; you do not need to do anything yet.";
    case "overlapping": {
      const at = overlapUntil === undefined ? "the cut" : isoTime(overlapUntil);
      return `The env has a second credential, and the first still works. At ${at} both end: fetch the env again after that.`;
    }
    case "cutting":
      return "The credentials are being ended and replaced; fetch the env when that is done.";
    case "proving":
      return `The provider is being asked whether the old credentials are dead.${fetchAgain}`;
    case "requires_action":
    case "failed":
      return `See what to do with \`keyloan jobs show ${jobId}\`.${fetchAgain}`;
    case "done":
      return provenDeadAt === undefined
        ? `No provider knows these values: the old ones end when every app has fetched the env again.`
        : `Every older credential is proved dead.${fetchAgain}`;
    case "ended":
      return "The lease has ended meanwhile, and every credential of it; you do not need to do anything.";
    case "cancelled":
      return "It was cancelled, or a newer one replaced it.";
  }
}

export function leaseNotFound(leaseId: string): BrokerError {
  return new BrokerError("not_found", `there is no lease ${leaseId}`, {
    remedy: "`keyloan build show` lists the leases of a build.",
  });
}
