import { idPrefixes, type ListedResource, type PlannedLease } from "@keyloan/contract";
import type { ArchiveRow, LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { planned } from "../leases/planned-lease.ts";

/** What was just ended may still be listed for a while, and what is being ended is in good hands. */
export const settledMs = 5 * 60_000;

export type Classified =
  | { readonly kind: "known" }
  | { readonly kind: "unknown" }
  | {
      readonly kind: "left_over";
      readonly target: PlannedLease;
      readonly leaseId?: string;
      readonly what: string;
    };

/** Whose a listed resource is, by the rows as they are now: they are written before anything is made. */
export async function classify(
  deps: Deps,
  connectorId: string,
  resource: ListedResource,
): Promise<Classified> {
  if (resource.suffix === undefined) return classifyOfBuild(deps, connectorId, resource);
  const lease = await deps.store.read.leases.find(`${idPrefixes.lease}_${resource.suffix}`);
  if (lease !== undefined && lease.connectorId === connectorId && isPartOf(resource, lease)) {
    return (await hasEnded(deps, [lease]))
      ? {
          kind: "left_over",
          target: targetOf(lease, resource),
          leaseId: lease.id,
          what: "a lease that has ended",
        }
      : { kind: "known" };
  }
  const archive = await deps.store.read.archives.find(`${idPrefixes.archive}_${resource.suffix}`);
  if (archive !== undefined && archive.connectorId === connectorId)
    return classifyScratch(deps, archive, resource);
  return { kind: "unknown" };
}

/** In use as long as any lease of the build is. */
async function classifyOfBuild(
  deps: Deps,
  connectorId: string,
  resource: ListedResource,
): Promise<Classified> {
  const leases = await deps.store.read.leases.listByBuild(`${idPrefixes.build}_${resource.buildSuffix}`);
  const own = leases.filter((lease) => lease.connectorId === connectorId && isPartOf(resource, lease));
  const [first] = own;
  if (first === undefined) return { kind: "unknown" };
  if (!(await hasEnded(deps, own))) return { kind: "known" };
  return {
    kind: "left_over",
    target: targetOf(first, resource),
    leaseId: first.id,
    what: "a build that has ended",
  };
}

/** The scratch database of an archive is dropped with its archiving, by a job that is open until then. */
async function classifyScratch(
  deps: Deps,
  archive: ArchiveRow,
  resource: ListedResource,
): Promise<Classified> {
  const isYoung = deps.now() - archive.createdAt < settledMs;
  if (archive.state === "writing" || isYoung || (await hasOpenJob(deps, archive.id)))
    return { kind: "known" };
  const target = {
    leaseId: `${idPrefixes.lease}_${resource.suffix}`,
    buildId: archive.buildId,
    expiresAt: deps.now(),
    options: null,
    handle: resource.handle,
  };
  return { kind: "left_over", target, leaseId: archive.leaseId, what: "the check of an archive" };
}

/** Whether all leases own nothing any more, since a while, and no job is about to see to it. */
async function hasEnded(deps: Deps, leases: readonly LeaseRow[]): Promise<boolean> {
  for (const lease of leases) {
    const isOver =
      lease.state === "released" ||
      (lease.state === "archived" && (await deps.store.read.archives.isDropped(lease.id)));
    if (!isOver || (await hasOpenJob(deps, lease.id))) return false;
    const build = await deps.store.read.builds.find(lease.buildId);
    if (deps.now() - (build?.closedAt ?? 0) < settledMs) return false;
  }
  return true;
}

/** Whether a job of the entity is still to be run. */
export async function hasOpenJob(deps: Pick<Deps, "store">, entityId: string): Promise<boolean> {
  return (await deps.store.read.endings.openJobsOf([entityId])).length > 0;
}

function isPartOf({ handle }: ListedResource, lease: LeaseRow): boolean {
  return Object.entries(handle).every(([part, name]) => (lease.handle[part] ?? name) === name);
}

/** No more than what was listed: the rest of the lease's handle is not asked about. */
function targetOf(lease: LeaseRow, { handle }: ListedResource): PlannedLease {
  return { ...planned(lease), handle };
}
