import {
  type BuildView,
  type EnvProfile,
  envProfiles,
  type IsolationGrade,
  isolationGradeMeanings,
  isolationGrades,
  type LeaseView,
} from "@keyloan/contract";
import type { BuildRow, HandoffRow, LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import { withoutNames } from "../content-names.ts";

/** A build as the API shows it: states, names and times, never a value. */
export function buildView(
  deps: Pick<Deps, "connectors">,
  build: BuildRow,
  leases: readonly LeaseRow[],
  handoff?: HandoffRow,
): BuildView {
  const order = [...deps.connectors.keys()];
  const ordered = current(leases).toSorted(
    (a, b) => order.indexOf(a.connectorId) - order.indexOf(b.connectorId),
  );
  return {
    id: build.id,
    name: build.name,
    state: build.state,
    profile: profileOf(build.profile),
    createdAt: isoTime(build.createdAt),
    expiresAt: isoTime(build.expiresAt),
    renewableUntil: isoTime(build.renewableUntil),
    ...(build.closedAt === null ? {} : { closedAt: isoTime(build.closedAt) }),
    ...(build.lendingEndedAt === null ? {} : { lendingEndedAt: isoTime(build.lendingEndedAt) }),
    ...(handoff === undefined ? {} : { handoff: handoffView(handoff) }),
    leases: ordered.map((lease) => leaseView(deps, lease)),
  };
}

/** Without leases that have ended and whose place another one of the same connector has taken. */
function current(leases: readonly LeaseRow[]): readonly LeaseRow[] {
  return leases.filter(
    (lease) =>
      lease.state !== "released" ||
      !leases.some(
        (other) =>
          other.connectorId === lease.connectorId &&
          other !== lease &&
          (other.state !== "released" || other.createdAt > lease.createdAt),
      ),
  );
}

function handoffView(handoff: HandoffRow): NonNullable<BuildView["handoff"]> {
  return {
    createdAt: isoTime(handoff.createdAt),
    expiresAt: isoTime(handoff.expiresAt),
    ...(handoff.usedAt === null ? {} : { openedAt: isoTime(handoff.usedAt) }),
    ...(handoff.refusedAt === null ? {} : { refusedAt: isoTime(handoff.refusedAt) }),
  };
}

/** A lease as the API shows it, never a value. */
export function leaseView(deps: Pick<Deps, "connectors">, lease: LeaseRow): LeaseView {
  const grade = gradeOf(lease.grade);
  return {
    id: lease.id,
    connector: lease.connectorId,
    state: lease.state,
    grade,
    gradeMeaning: isolationGradeMeanings[grade],
    revocation:
      deps.connectors.get(lease.connectorId)?.spec.revocation ?? "This connector is no longer installed.",
    resource: lease.handle,
    ...(lease.issuedAt === null ? {} : { issuedAt: isoTime(lease.issuedAt) }),
    expiresAt: isoTime(lease.expiresAt),
    attempts: lease.attempts,
    ...(lease.lastError === null
      ? {}
      : { error: { ...lease.lastError, message: withoutNames(lease.lastError.message) } }),
  };
}

/** A stored profile name; an unknown one, of a newer version, reads as plain. */
export function profileOf(text: string): EnvProfile {
  return envProfiles.find((profile) => profile === text) ?? "plain";
}

function gradeOf(text: string): IsolationGrade {
  return isolationGrades.find((grade) => grade === text) ?? "E";
}
