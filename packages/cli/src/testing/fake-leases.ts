import {
  type ListedLease,
  leaseListSchema,
  listedLeaseSchema,
  revokedLeasesSchema,
  revokeLeasesBodySchema,
} from "@keyloan/contract";
import { FakeError, type SeenRequest } from "./fake-broker.ts";
import type { FakeAnswer } from "./fake-routes.ts";
import { sampleBuildId, sampleLease } from "./samples.ts";

export type FakeLeases = Map<string, ListedLease>;

/** Leases in memory: two connectors of one build, of which one cannot be ended at once. */
export function createFakeLeases(): {
  readonly state: FakeLeases;
  readonly list: (request: SeenRequest) => FakeAnswer;
  readonly show: (request: SeenRequest, id: string) => FakeAnswer;
  readonly revoke: (request: SeenRequest, id: string) => FakeAnswer;
  readonly revokeMany: (request: SeenRequest) => FakeAnswer;
} {
  const state: FakeLeases = new Map();
  for (const [index, connector] of ["turso", "r2"].entries()) {
    const id = `lse_${String(index).padStart(20, "0")}`;
    const createdAt = new Date().toISOString();
    state.set(id, { ...sampleLease(connector, Date.now(), { id }), buildId: sampleBuildId, createdAt });
  }
  const find = (id: string): ListedLease => {
    const lease = state.get(id);
    if (lease === undefined) throw new FakeError("not_found", "there is no such lease", "Check the id.");
    return lease;
  };
  const end = (lease: ListedLease) => {
    const ended = { ...lease, state: lease.connector === "r2" ? "releasing" : "released" };
    state.set(lease.id, ended);
    return ended;
  };
  return {
    state,
    list: ({ query }) => {
      const wanted = (name: string, value: string) => (query.get(name) ?? value) === value;
      const all = [...state.values()].filter(
        (lease) =>
          wanted("state", lease.state) &&
          wanted("connector", lease.connector) &&
          wanted("buildId", lease.buildId),
      );
      const start = Number(query.get("cursor") ?? 0);
      const next = start + Number(query.get("limit") ?? 50);
      const nextCursor = next < all.length ? { nextCursor: String(next) } : {};
      return { body: leaseListSchema.parse({ leases: all.slice(start, next), ...nextCursor }) };
    },
    show: (_, id) => ({ body: listedLeaseSchema.parse(find(id)) }),
    revoke: (_, id) => {
      const ended = end(find(id));
      return { status: ended.state === "released" ? 200 : 202, body: listedLeaseSchema.parse(ended) };
    },
    revokeMany: (request) => {
      const which = revokeLeasesBodySchema.parse(JSON.parse(request.body));
      const living = [...state.values()].filter(
        (lease) => lease.state === "active" && ("all" in which || which.connector === lease.connector),
      );
      for (const lease of living) end(lease);
      const connectors = Object.fromEntries(living.map(({ connector }) => [connector, 1]));
      const builds = new Set(living.map(({ buildId }) => buildId)).size;
      return { status: 202, body: revokedLeasesSchema.parse({ leases: living.length, builds, connectors }) };
    },
  };
}
