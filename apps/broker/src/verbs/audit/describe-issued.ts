import type { LeaseMatch, OrgKeyMatch } from "@keyloan/contract";
import type { FingerprintRow, LeaseRow, OrgKeyRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import { withOpenKey } from "../../sealing/data-key.ts";
import { openLease } from "../../sealing/lease-values.ts";
import { parseDetails } from "./list-audit.ts";
import { readersOf } from "./readers.ts";

const buildsMax = 50;

/** What a value that was seen before is; `undefined` when what it was part of is forgotten. */
export async function describeIssued(
  deps: Deps,
  row: FingerprintRow,
): Promise<Omit<LeaseMatch, "index"> | Omit<OrgKeyMatch, "index"> | undefined> {
  const lease = await deps.store.read.leases.find(row.entityId);
  if (lease !== undefined) return describeLease(deps, row, lease);
  const orgKey = await deps.store.read.orgKeys.find(row.entityId);
  return orgKey === undefined ? undefined : describeOrgKey(deps, row, orgKey);
}

async function describeLease(
  deps: Deps,
  row: FingerprintRow,
  lease: LeaseRow,
): Promise<Omit<LeaseMatch, "index">> {
  const build = await deps.store.read.builds.find(lease.buildId);
  return {
    what: "lease",
    variable: row.variable,
    leaseId: lease.id,
    buildId: lease.buildId,
    ...(build === undefined ? {} : { buildName: build.name }),
    connector: lease.connectorId,
    grade: lease.grade,
    state: lease.state,
    alive: await mayWork(deps, row, lease),
    issuedAt: isoTime(row.createdAt),
    readers: await readersOf(deps, { entity: lease.buildId, actions: ["env.read"], since: row.createdAt }),
  };
}

// A value and the row of what made it are written together, with two looks at the clock.
const sameMomentMs = 1_000;

/**
 * Whether a value of a lease may still work. One that the lease gives now does. One that was replaced may too, for a
 * renewal leaves it its own time, unless the provider was seen to refuse everything from before a later cut.
 */
async function mayWork(deps: Deps, row: FingerprintRow, lease: LeaseRow): Promise<boolean> {
  if (["released", "failed"].includes(lease.state)) return false;
  if (await isCurrent(deps, row, lease)) return true;
  const { latest } = await deps.store.read.auditEvents.findActions({
    entity: lease.buildId,
    actions: ["lease.rotated", "lease.credentials_dead"],
    since: row.createdAt + sameMomentMs,
    limit: 100,
  });
  const own = latest.filter(({ details }) => parseDetails(details).lease === lease.id);
  const cut = own.findLast(({ action }) => action === "lease.rotated");
  return (
    cut === undefined ||
    !own.some(({ action, sequence }) => action === "lease.credentials_dead" && sequence > cut.sequence)
  );
}

async function isCurrent(deps: Deps, row: FingerprintRow, lease: LeaseRow): Promise<boolean> {
  const dataKey = await deps.store.read.dataKeys.findByOwner(lease.buildId);
  if (lease.env === null || dataKey === undefined) return false;
  const { env } = lease;
  const values = withOpenKey(deps, dataKey, (key) => Object.values(openLease(key, lease.id, env)));
  return values.some((value) => deps.fingerprint.ofValue(value) === row.fingerprint);
}

async function describeOrgKey(
  deps: Deps,
  row: FingerprintRow,
  orgKey: OrgKeyRow,
): Promise<Omit<OrgKeyMatch, "index">> {
  const { keyUses } = deps.store.read;
  const { connectorId: connector, version } = orgKey;
  return {
    what: "org_key",
    variable: row.variable,
    orgKeyId: orgKey.id,
    connector,
    version,
    state: orgKey.state,
    // Replaced is not ended: only the provider's refusal proves that.
    alive: orgKey.provenDeadAt === null,
    putAt: isoTime(orgKey.putAt),
    builds: {
      count: await keyUses.count(connector, version),
      ids: await keyUses.listBuilds(connector, version, buildsMax),
    },
  };
}
