import {
  endUnknownBodySchema,
  findingSchema,
  reconcileBodySchema,
  reconcileReportSchema,
} from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import { byOf } from "../http/context.ts";
import { body, json } from "../http/json-content.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";
import { endUnknown } from "../verbs/reconcile/end-unknown.ts";
import { reconcile } from "../verbs/reconcile/reconcile.ts";

const tags = ["reconcile"];
const access = { admin: true };

export function reconcileRoutes(deps: Deps, limiter: RateLimiter) {
  const run = defineRoute(limiter, access, {
    method: "post",
    path: "/v1/reconcile",
    tags,
    summary: "Compare what providers list with what the broker knows, and end what is left over",
    request: { body: body(reconcileBodySchema) },
    responses: { 200: json("what was found and done, by connector", reconcileReportSchema) },
  });
  const end = defineRoute(limiter, access, {
    method: "post",
    path: "/v1/reconcile/end-unknown",
    tags,
    summary: "End one resource that is named as ours and that no row knows",
    request: { body: body(endUnknownBodySchema) },
    responses: { 200: json("whether it was ended", findingSchema) },
  });
  return createRouter()
    .openapi(run, async (context) => {
      return context.json(await reconcile(deps, byOf(context), context.req.valid("json")), 200);
    })
    .openapi(end, async (context) => {
      return context.json(await endUnknown(deps, byOf(context), context.req.valid("json")), 200);
    });
}
