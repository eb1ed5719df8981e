import type { LeaseList, ListedLease, RevokedLeases, RevokeLeasesBody } from "@keyloan/contract";
import { leaseRoutes } from "@keyloan/contract/calls";
import { ask, type Caller } from "./call.ts";
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

/** The calls on leases. Every one of them may throw KeyloanError. */
export function leasesApi(caller: Caller): LeasesApi {
  const list = (query: LeaseListQuery = {}) => ask(caller, leaseRoutes.list, { query });
  return {
    list,
    listAll: (query = {}) => eachOfPages(list, ({ leases }) => leases, query),
    get: (id) => ask(caller, leaseRoutes.show, { params: { id } }),
    revoke: (id, { waitSeconds } = {}) =>
      ask(caller, leaseRoutes.revoke, { params: { id }, query: { wait: waitSeconds } }),
    revokeMany: (body) => ask(caller, leaseRoutes.revokeMany, { body }),
  };
}
