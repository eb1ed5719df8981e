import type { BuildView, Rehearsal, RevertBuildBody } from "@keyloan/contract";
import { rollbackRoutes } from "@keyloan/contract/calls";
import { ask, type Caller } from "./call.ts";

export type RollbackApi = {
  /** Goes back on a copy of the broker's store, and tells what came of it. Nothing else changes. */
  readonly rehearse: () => Promise<Rehearsal>;
  /**
   * Lets a swapped build use its lent keys again: when its user allows tokens to, or for the admin with a reason, which
   * the user reads.
   */
  readonly revert: (buildId: string, body?: RevertBuildBody) => Promise<BuildView>;
};

export function rollbackApi(caller: Caller): RollbackApi {
  return {
    // A large store takes a while to copy and to read.
    rehearse: () => ask(caller, rollbackRoutes.rehearse, {}),
    revert: (id, body = {}) => ask(caller, rollbackRoutes.revert, { params: { id }, body }),
  };
}
