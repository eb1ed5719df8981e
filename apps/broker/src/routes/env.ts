import { buildEndpoints } from "@keyloan/contract";
import { renderEnv } from "@keyloan/env-generator";
import type { Deps } from "../deps.ts";
import type { CallerLimits } from "../http/caller-limits.ts";
import { byOf } from "../http/context.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";
import { readEnv } from "../verbs/env/read-env.ts";

export function envRoutes(deps: Deps, limits: CallerLimits) {
  return createRouter().openapi(serveEndpoint(limits, buildEndpoints.readEnv), async (context) => {
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
