import { rollbackEndpoints } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import { bodyOf } from "../http/body-of.ts";
import type { CallerLimits } from "../http/caller-limits.ts";
import { byOf } from "../http/context.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";
import { showBuild } from "../verbs/builds/find-build.ts";
import { oneAtATime, rehearseRollback } from "../verbs/rollback/rehearse-rollback.ts";
import { revertBuild } from "../verbs/settings/revert-keys.ts";

export function rollbackRoutes(deps: Deps, limits: CallerLimits) {
  const { rehearse, revert } = rollbackEndpoints;
  // A copy of the store each time: two at once would fill the disk for nothing.
  const rehearseOnce = oneAtATime(rehearseRollback, "a rollback is being rehearsed");
  return createRouter()
    .openapi(serveEndpoint(limits, rehearse), async (context) => {
      return context.json(await rehearseOnce(deps, byOf(context)), 200);
    })
    .openapi(serveEndpoint(limits, revert), async (context) => {
      const { id } = context.req.valid("param");
      const { reason } = bodyOf(context, revert);
      await revertBuild(deps, byOf(context), id, { reason });
      return context.json(await showBuild(deps, id), 200);
    });
}
