import { tokenEndpoints } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import type { CallerLimits } from "../http/caller-limits.ts";
import { byOf } from "../http/context.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";
import { createApiToken } from "../verbs/tokens/create-token.ts";
import { listTokens, revokeToken } from "../verbs/tokens/manage-tokens.ts";

export function tokenRoutes(deps: Deps, limits: CallerLimits) {
  const { create, list, revoke } = tokenEndpoints;
  return createRouter()
    .openapi(serveEndpoint(limits, create), async (context) => {
      const made = await createApiToken(deps, byOf(context), context.req.valid("json"));
      return context.json({ ...made, token: made.token.reveal() }, 201);
    })
    .openapi(serveEndpoint(limits, list), async (context) =>
      context.json(await listTokens(deps, context.req.valid("query")), 200),
    )
    .openapi(serveEndpoint(limits, revoke), async (context) => {
      const isLeaked = context.req.valid("query").leaked === "true";
      await revokeToken(deps, byOf(context), context.req.valid("param").id, isLeaked);
      return context.body(null, 204);
    });
}
