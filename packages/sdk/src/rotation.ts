import type {
  EndUnknownBody,
  Finding,
  ReconcileBody,
  ReconcileReport,
  RotateLeaseBody,
  RotationView,
} from "@keyloan/contract";
import { reconcileRoutes, rotationRoutes } from "@keyloan/contract/calls";
import { ask, type Caller } from "./call.ts";

export type RotationsApi = {
  /**
   * Begins to replace the credentials of one lease. Values fetched before the cut end with it: fetch the env again
   * when the rotation says so.
   */
  readonly start: (leaseId: string, body?: RotateLeaseBody) => Promise<RotationView>;
  /** How far the newest one of the lease is. */
  readonly get: (leaseId: string) => Promise<RotationView>;
};

export function rotationsApi(caller: Caller): RotationsApi {
  return {
    start: (id, body = {}) => ask(caller, rotationRoutes.start, { params: { id }, body }),
    get: (id) => ask(caller, rotationRoutes.show, { params: { id } }),
  };
}

export type ReconcileApi = {
  /** Compares what providers list with what the broker knows, and ends what is left over. */
  readonly run: (body?: ReconcileBody) => Promise<ReconcileReport>;
  /** Ends one resource that is named as ours and that no row knows. */
  readonly endUnknown: (body: EndUnknownBody) => Promise<Finding>;
};

export function reconcileApi(caller: Caller): ReconcileApi {
  return {
    run: (body = {}) => ask(caller, reconcileRoutes.run, { body }),
    endUnknown: (body) => ask(caller, reconcileRoutes.end, { body }),
  };
}
