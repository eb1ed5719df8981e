import { visitEndpoints } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import type { CallerLimits } from "../http/caller-limits.ts";
import { byOf } from "../http/context.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";
import { endVisit, listVisits } from "../verbs/handoff/visits.ts";
import { listBuildTokens, revokeBuildToken } from "../verbs/tokens/manage-tokens.ts";

/** Who is at a build: visits of its settings page, and the tokens that read its env. */
export function visitRoutes(deps: Deps, limits: CallerLimits) {
  const { sessions, endSession, tokens, endToken } = visitEndpoints;
  return createRouter()
    .openapi(serveEndpoint(limits, sessions), async (context) =>
      context.json(await listVisits(deps, context.req.valid("param").id), 200),
    )
    .openapi(serveEndpoint(limits, endSession), async (context) => {
      const { id, sessionId } = context.req.valid("param");
      await endVisit(deps, byOf(context), id, sessionId);
      return context.body(null, 204);
    })
    .openapi(serveEndpoint(limits, tokens), async (context) => {
      const { id } = context.req.valid("param");
      return context.json(await listBuildTokens(deps, id, context.req.valid("query")), 200);
    })
    .openapi(serveEndpoint(limits, endToken), async (context) => {
      const { id, tokenId } = context.req.valid("param");
      await revokeBuildToken(deps, byOf(context), id, tokenId);
      return context.body(null, 204);
    });
}
