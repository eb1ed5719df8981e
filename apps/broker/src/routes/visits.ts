import {
  buildIdSchema,
  idPattern,
  pageQuerySchema,
  tokenListSchema,
  visitListSchema,
} from "@keyloan/contract";
import * as z from "zod";
import type { Deps } from "../deps.ts";
import { byOf } from "../http/context.ts";
import { json } from "../http/json-content.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";
import { endVisit, listVisits } from "../verbs/handoff/visits.ts";
import { listBuildTokens, revokeBuildToken } from "../verbs/tokens/manage-tokens.ts";

const params = z.object({ id: buildIdSchema });
const ended = { 204: { description: "ended" } };

/** Who is at a build: visits of its settings page, and the tokens that read its env. */
export function visitRoutes(deps: Deps, limiter: RateLimiter) {
  const read = { admin: true, platform: "builds:read" } as const;
  const sessions = defineRoute(limiter, read, {
    method: "get",
    path: "/v1/builds/{id}/sessions",
    tags: ["builds"],
    summary: "List visits of the build's settings page, newest first",
    request: { params },
    responses: { 200: json("at most 200", visitListSchema) },
  });
  const endSession = defineRoute(
    limiter,
    { admin: true, platform: "builds:write" },
    {
      method: "delete",
      path: "/v1/builds/{id}/sessions/{sessionId}",
      tags: ["builds"],
      summary: "End a visit; its person can come in again",
      request: {
        params: params.extend({
          sessionId: z.string().regex(idPattern("session"), "a session id looks like ses_…"),
        }),
      },
      responses: ended,
    },
  );
  const tokens = defineRoute(limiter, read, {
    method: "get",
    path: "/v1/builds/{id}/tokens",
    tags: ["tokens"],
    summary: "List the build's tokens, newest first, never their text",
    request: { params, query: pageQuerySchema },
    responses: { 200: json("a page", tokenListSchema) },
  });
  const endToken = defineRoute(
    limiter,
    { admin: true, platform: "tokens:write" },
    {
      method: "delete",
      path: "/v1/builds/{id}/tokens/{tokenId}",
      tags: ["tokens"],
      summary: "End a token of the build",
      request: {
        params: params.extend({
          tokenId: z.string().regex(idPattern("token"), "a token id looks like tok_…"),
        }),
      },
      responses: ended,
    },
  );
  return createRouter()
    .openapi(sessions, async (context) =>
      context.json(await listVisits(deps, context.req.valid("param").id), 200),
    )
    .openapi(endSession, async (context) => {
      const { id, sessionId } = context.req.valid("param");
      await endVisit(deps, byOf(context), id, sessionId);
      return context.body(null, 204);
    })
    .openapi(tokens, async (context) => {
      const { id } = context.req.valid("param");
      return context.json(await listBuildTokens(deps, id, context.req.valid("query")), 200);
    })
    .openapi(endToken, async (context) => {
      const { id, tokenId } = context.req.valid("param");
      await revokeBuildToken(deps, byOf(context), id, tokenId);
      return context.body(null, 204);
    });
}
