import type {
  EndUnknownBody,
  Finding,
  ReconcileBody,
  ReconcileReport,
  ReissueLeaseBody,
  RotationView,
} from "@keyloan/contract";
import { pathSegment } from "./address.ts";
import { bodyOf } from "./answer.ts";
import type { Caller } from "./call.ts";

// Whole lists of providers are read before the answer.
const reconcileTimeMs = 300_000;

export type RotationsApi = {
  /**
   * Begins to replace the credentials of one lease. Values fetched before the cut end with it: fetch the env again
   * when the rotation says so.
   */
  readonly start: (leaseId: string, body?: ReissueLeaseBody) => Promise<RotationView>;
  /** How far the newest one of the lease is. */
  readonly get: (leaseId: string) => Promise<RotationView>;
};

export function rotationsApi({ base, call }: Caller): RotationsApi {
  const path = (leaseId: string) => `/v1/leases/${pathSegment(leaseId, "the lease id")}`;
  const members = ["lease", "state", "provenDead"] as const;
  return {
    start: async (leaseId, body = {}) => {
      const request = { method: "POST", path: `${path(leaseId)}/reissue`, body, expect: "json" } as const;
      return bodyOf<RotationView>(base, await call(request), members);
    },
    get: async (leaseId) => {
      const request = { method: "GET", path: `${path(leaseId)}/rotation`, expect: "json" } as const;
      return bodyOf<RotationView>(base, await call(request), members);
    },
  };
}

export type ReconcileApi = {
  /** Compares what providers list with what the broker knows, and ends what is left over. */
  readonly run: (body?: ReconcileBody) => Promise<ReconcileReport>;
  /** Ends one resource that is named as ours and that no row knows. */
  readonly endUnknown: (body: EndUnknownBody) => Promise<Finding>;
};

export function reconcileApi({ base, call }: Caller): ReconcileApi {
  const post = (path: string, body: object) =>
    call({ method: "POST", path, body, extraTimeMs: reconcileTimeMs, expect: "json" });
  return {
    run: async (body = {}) =>
      bodyOf<ReconcileReport>(base, await post("/v1/reconcile", body), ["connectors", "needsPerson"]),
    endUnknown: async (body) =>
      bodyOf<Finding>(base, await post("/v1/reconcile/end-unknown", body), ["kind", "action"]),
  };
}
