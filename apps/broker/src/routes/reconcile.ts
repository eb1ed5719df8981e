import { reconcileEndpoints } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import type { CallerLimits } from "../http/caller-limits.ts";
import { byOf } from "../http/context.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";
import { endUnknown } from "../verbs/reconcile/end-unknown.ts";
import { reconcile } from "../verbs/reconcile/reconcile.ts";

export function reconcileRoutes(deps: Deps, limits: CallerLimits) {
  const { run, end } = reconcileEndpoints;
  return createRouter()
    .openapi(serveEndpoint(limits, run), async (context) => {
      return context.json(await reconcile(deps, byOf(context), context.req.valid("json")), 200);
    })
    .openapi(serveEndpoint(limits, end), async (context) => {
      return context.json(await endUnknown(deps, byOf(context), context.req.valid("json")), 200);
    });
}
