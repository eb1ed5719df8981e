import type { LeaseList, ListedLease, RevokedLeases, RevokeLeasesBody } from "@keyloan/contract";
import { pathSegment } from "./address.ts";
import { bodyOf } from "./answer.ts";
import type { Caller } from "./call.ts";
import { eachOfPages, type PageQuery } from "./pages.ts";

export type LeaseListQuery = PageQuery & {
  readonly state?: string | undefined;
  readonly connector?: string | undefined;
  readonly buildId?: string | undefined;
};

export type LeasesApi = {
  /** One page of leases, newest first. */
  readonly list: (query?: LeaseListQuery) => Promise<LeaseList>;
  readonly listAll: (query?: LeaseListQuery) => AsyncGenerator<ListedLease, void, void>;
  readonly get: (leaseId: string) => Promise<ListedLease>;
  /** Ends one lease; its build lives on without it. Revoking again changes nothing. */
  readonly revoke: (leaseId: string, options?: { readonly waitSeconds?: number }) => Promise<ListedLease>;
  /** Ends every lease of a connector, or of the org. Their values are gone when this resolves. */
  readonly revokeMany: (which: RevokeLeasesBody) => Promise<RevokedLeases>;
};

const waitSecondsDefault = 25;
/** Ten thousand leases take the broker some seconds. */
const manyTimeMs = 120_000;

/** The calls on leases. Every one of them may throw KeyloanError. */
export function leasesApi({ base, call }: Caller): LeasesApi {
  const path = "/v1/leases";
  const pathOf = (leaseId: string) => `${path}/${pathSegment(leaseId, "the lease id")}`;
  const list = async (query: LeaseListQuery = {}) =>
    bodyOf<LeaseList>(base, await call({ method: "GET", path, query, expect: "json" }), ["leases"]);
  return {
    list,
    listAll: (query = {}) =>
      eachOfPages(
        (cursor) => list({ ...query, cursor }),
        (page) => page.leases,
        query.cursor,
      ),
    get: async (leaseId) => {
      const answer = await call({ method: "GET", path: pathOf(leaseId), expect: "json" });
      return bodyOf<ListedLease>(base, answer, ["id", "state"]);
    },
    revoke: async (leaseId, { waitSeconds } = {}) => {
      const extraTimeMs = (waitSeconds ?? waitSecondsDefault) * 1000;
      const request = { method: "DELETE", path: pathOf(leaseId), query: { wait: waitSeconds } } as const;
      const answer = await call({ ...request, expect: "json", extraTimeMs });
      return bodyOf<ListedLease>(base, answer, ["id", "state"]);
    },
    revokeMany: async (body) => {
      const request = { method: "POST", path: `${path}/revoke`, body, expect: "json" } as const;
      const answer = await call({ ...request, extraTimeMs: manyTimeMs });
      return bodyOf<RevokedLeases>(base, answer, ["leases", "builds", "connectors"]);
    },
  };
}
