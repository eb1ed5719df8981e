import { buildIdSchema, buildSchema, rehearsalSchema, revertBuildBodySchema } from "@keyloan/contract";
import * as z from "zod";
import type { Deps } from "../deps.ts";
import { byOf } from "../http/context.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";
import { showBuild } from "../verbs/builds/find-build.ts";
import { oneAtATime, rehearseRollback } from "../verbs/rollback/rehearse-rollback.ts";
import { revertBuild } from "../verbs/settings/revert-keys.ts";

const tags = ["rollback"];

export function rollbackRoutes(deps: Deps, limiter: RateLimiter) {
  const rehearse = defineRoute(
    limiter,
    { admin: true },
    {
      method: "post",
      path: "/v1/rollback/rehearsals",
      tags,
      summary: "Go back on a copy of the store, and tell how long it took",
      description:
        "Copies the store, opens the copy with this broker's keys, and lets every swapped build use its lent keys again there. The store itself and the providers are left alone.",
      responses: {
        200: { description: "what came of it", content: { "application/json": { schema: rehearsalSchema } } },
      },
    },
  );
  const revert = defineRoute(
    limiter,
    { admin: true, platform: "builds:write" },
    {
      method: "post",
      path: "/v1/builds/{id}/revert",
      tags,
      summary: "Let a swapped build use its lent keys again",
      description:
        "Once the app's user has saved keys, they decide: a token may do it when they allow it, and the admin with a reason that the settings page shows.",
      request: {
        params: z.object({ id: buildIdSchema }),
        body: { required: false, content: { "application/json": { schema: revertBuildBodySchema } } },
      },
      responses: {
        200: { description: "reverted", content: { "application/json": { schema: buildSchema } } },
      },
    },
  );
  // A copy of the store each time: two at once would fill the disk for nothing.
  const rehearseOnce = oneAtATime(rehearseRollback, "a rollback is being rehearsed");
  return createRouter()
    .openapi(rehearse, async (context) => {
      return context.json(await rehearseOnce(deps, byOf(context)), 200);
    })
    .openapi(revert, async (context) => {
      const { id } = context.req.valid("param");
      const { reason } = revertBuildBodySchema.parse(context.req.valid("json") ?? {});
      await revertBuild(deps, byOf(context), id, { reason });
      return context.json(await showBuild(deps, id), 200);
    });
}
