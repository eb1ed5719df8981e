import type { BuildView, Rehearsal, RevertBuildBody } from "@keyloan/contract";
import { pathSegment } from "./address.ts";
import { bodyOf } from "./answer.ts";
import type { Caller } from "./call.ts";

export type RollbackApi = {
  /** Goes back on a copy of the broker's store, and tells what came of it. Nothing else changes. */
  readonly rehearse: () => Promise<Rehearsal>;
  /**
   * Lets a swapped build use its lent keys again: when its user allows tokens to, or for the admin with a reason, which
   * the user reads.
   */
  readonly revert: (buildId: string, body?: RevertBuildBody) => Promise<BuildView>;
};

export function rollbackApi({ base, call }: Caller): RollbackApi {
  return {
    rehearse: async () => {
      const path = "/v1/rollback/rehearsals";
      // A large store takes a while to copy and to read.
      const answer = await call({ method: "POST", path, expect: "json", extraTimeMs: 600_000 });
      return bodyOf<Rehearsal>(base, answer, ["ok", "steps", "builds"]);
    },
    revert: async (buildId, body = {}) => {
      const path = `/v1/builds/${pathSegment(buildId, "the build id")}/revert`;
      return bodyOf<BuildView>(base, await call({ method: "POST", path, body, expect: "json" }), [
        "id",
        "state",
      ]);
    },
  };
}
