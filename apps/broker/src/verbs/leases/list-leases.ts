import {
  BrokerError,
  type LeaseList,
  type LeaseState,
  type ListedLease,
  leaseStates,
} from "@keyloan/contract";
import type { LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import { decodeTimeCursor } from "../builds/list-builds.ts";
import { leaseView } from "../builds/views.ts";
import { encodeCursor } from "../cursor.ts";

/** A page of leases, newest first. */
export async function listLeases(
  deps: Pick<Deps, "store" | "connectors">,
  query: {
    readonly cursor?: string | undefined;
    readonly limit: number;
    readonly state?: string | undefined;
    readonly connector?: string | undefined;
    readonly buildId?: string | undefined;
  },
): Promise<LeaseList> {
  const { cursor, limit, connector: connectorId, buildId } = query;
  const state = leaseStates.find((known): known is LeaseState => known === query.state);
  const rows = await deps.store.read.leases.list({
    ...(cursor === undefined ? {} : { after: decodeTimeCursor(cursor) }),
    ...(state === undefined ? {} : { state }),
    ...(connectorId === undefined ? {} : { connectorId }),
    ...(buildId === undefined ? {} : { buildId }),
    limit: limit + 1,
  });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    leases: page.map((lease) => listedLease(deps, lease)),
    ...(rows.length > limit && last !== undefined
      ? { nextCursor: encodeCursor([last.createdAt, last.id]) }
      : {}),
  };
}

/** @throws BrokerError `not_found` */
export async function showLease(
  deps: Pick<Deps, "store" | "connectors">,
  leaseId: string,
): Promise<ListedLease> {
  return listedLease(deps, await findLease(deps, leaseId));
}

/** @throws BrokerError `not_found` */
export async function findLease(deps: Pick<Deps, "store">, leaseId: string): Promise<LeaseRow> {
  const lease = await deps.store.read.leases.find(leaseId);
  if (lease !== undefined) return lease;
  throw new BrokerError("not_found", `there is no lease ${leaseId}`, {
    remedy: "List the leases with `keyloan lease list`.",
  });
}

function listedLease(deps: Pick<Deps, "connectors">, lease: LeaseRow): ListedLease {
  return { ...leaseView(deps, lease), buildId: lease.buildId, createdAt: isoTime(lease.createdAt) };
}
