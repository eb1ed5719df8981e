import { buildIdSchema, envJsonSchema, envQuerySchema } from "@keyloan/contract";
import { renderEnv } from "@keyloan/env-generator";
import * as z from "zod";
import type { Deps } from "../deps.ts";
import { byOf } from "../http/context.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";
import { readEnv } from "../verbs/env/read-env.ts";

const text = { schema: z.string() };

export function envRoutes(deps: Deps, limiter: RateLimiter) {
  const read = defineRoute(
    limiter,
    { admin: true, workload: true },
    {
      method: "get",
      path: "/v1/builds/{id}/env",
      tags: ["builds"],
      summary: "Read the env of a build",
      description: "Audited by names; 409 with the list when something is not ready. Never cached.",
      request: { params: z.object({ id: buildIdSchema }), query: envQuerySchema },
      responses: {
        200: {
          description: "the env in the format asked for",
          content: { "application/json": { schema: envJsonSchema }, "text/plain": text },
        },
      },
    },
  );
  return createRouter().openapi(read, async (context) => {
    const { format, profile, copies, name } = context.req.valid("query");
    const input = { buildId: context.req.valid("param").id, profile, copies: copies?.split(",") ?? [] };
    const lines = await readEnv(deps, byOf(context), input, context.var.token);
    const type = format === "json" ? "application/json" : "text/plain; charset=utf-8";
    // Typed as text because the format is chosen at run time; the schemas above tell readers what comes.
    return context.body(renderEnv(lines, { format, ...(name === undefined ? {} : { name }) }), 200, {
      "content-type": type,
      "cache-control": "no-store",
    }) as never;
  });
}
