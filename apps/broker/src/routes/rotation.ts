import { reissueLeaseBodySchema, rotationSchema } from "@keyloan/contract";
import * as z from "zod";
import type { Deps } from "../deps.ts";
import { byOf } from "../http/context.ts";
import { body, json } from "../http/json-content.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";
import { showRotation } from "../verbs/rotation/rotation-view.ts";
import { startRotation } from "../verbs/rotation/start-rotation.ts";

const tags = ["leases"];
const params = z.object({ id: z.string().max(64) });

export function rotationRoutes(deps: Deps, limiter: RateLimiter) {
  const start = defineRoute(
    limiter,
    { admin: true, platform: "builds:write" },
    {
      method: "post",
      path: "/v1/leases/{id}/reissue",
      tags,
      summary: "Replace the credentials of one lease, and prove the old ones dead",
      description:
        "Values fetched before the cut end with it: apps must fetch the env again. With `overlapSeconds` the env gives a second credential at once, and the cut comes so much later; it ends both, for providers cannot end one alone.",
      request: { params, body: body(reissueLeaseBodySchema) },
      responses: { 202: json("begun; ask again for its progress", rotationSchema) },
    },
  );
  const show = defineRoute(
    limiter,
    { admin: true, platform: "builds:read" },
    {
      method: "get",
      path: "/v1/leases/{id}/rotation",
      tags,
      summary: "How far the newest replacement of a lease's credentials is",
      request: { params },
      responses: { 200: json("its state", rotationSchema) },
    },
  );
  return createRouter()
    .openapi(start, async (context) => {
      const input = context.req.valid("json");
      const { id } = context.req.valid("param");
      return context.json(await startRotation(deps, byOf(context), id, input), 202);
    })
    .openapi(show, async (context) =>
      context.json(await showRotation(deps, context.req.valid("param").id), 200),
    );
}
