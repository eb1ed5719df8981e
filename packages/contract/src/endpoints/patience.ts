import { limits } from "../limits.ts";
import type { KnownRoute } from "./call.ts";
import type { Route } from "./endpoint.ts";
import {
  auditRoutes,
  buildRoutes,
  databaseRoutes,
  jobRoutes,
  leaseRoutes,
  orgKeyRoutes,
  reconcileRoutes,
  rollbackRoutes,
  transferRoutes,
} from "./routes.ts";

const hourSeconds = 3_600;

/** Calls that wait for others, and how long in seconds on top of what an answer takes. */
const patience: { readonly [R in KnownRoute]?: number } = {
  [buildRoutes.create]: limits.waitSecondsDefault,
  [leaseRoutes.revoke]: limits.waitSecondsDefault,
  // A provider is asked.
  [orgKeyRoutes.put]: 20,
  [auditRoutes.matches]: 20,
  [jobRoutes.retry]: 30,
  [jobRoutes.cancel]: 30,
  [jobRoutes.supply]: 30,
  [buildRoutes.close]: 60,
  [buildRoutes.renew]: 60,
  [transferRoutes.start]: 60,
  [transferRoutes.cancel]: 60,
  [transferRoutes.resume]: 60,
  [orgKeyRoutes.retire]: 60,
  [orgKeyRoutes.rewrap]: 60,
  [auditRoutes.accept]: 60,
  // Several are, or much is.
  [leaseRoutes.revokeMany]: 120,
  [reconcileRoutes.run]: 300,
  [reconcileRoutes.end]: 300,
  [rollbackRoutes.rehearse]: 600,
  [databaseRoutes.download]: 2_400,
  // A trail of years takes its time.
  [auditRoutes.verify]: hourSeconds,
  [auditRoutes.download]: hourSeconds,
};

/**
 * How long a caller waits for the answer of a call, in seconds, on top of what any answer takes; 0 for most.
 * @param waitSeconds what the call itself asks the broker to wait
 */
export function patienceSeconds(route: Route, waitSeconds?: unknown): number {
  const known: { readonly [R in Route]?: number } = patience;
  return typeof waitSeconds === "number" ? waitSeconds : (known[route] ?? 0);
}
