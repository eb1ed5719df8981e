import { reconcileEndpoints } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import { byOf } from "../http/context.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";
import { endUnknown } from "../verbs/reconcile/end-unknown.ts";
import { reconcile } from "../verbs/reconcile/reconcile.ts";

export function reconcileRoutes(deps: Deps, limiter: RateLimiter) {
  const { run, end } = reconcileEndpoints;
  return createRouter()
    .openapi(serveEndpoint(limiter, run), async (context) => {
      return context.json(await reconcile(deps, byOf(context), context.req.valid("json")), 200);
    })
    .openapi(serveEndpoint(limiter, end), async (context) => {
      return context.json(await endUnknown(deps, byOf(context), context.req.valid("json")), 200);
    });
}
