import {
  createApiTokenBodySchema,
  idPattern,
  issuedTokenSchema,
  pageQuerySchema,
  tokenListSchema,
} from "@keyloan/contract";
import * as z from "zod";
import type { Deps } from "../deps.ts";
import { byOf } from "../http/context.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";
import { createApiToken } from "../verbs/tokens/create-token.ts";
import { listTokens, revokeToken } from "../verbs/tokens/manage-tokens.ts";

const tags = ["tokens"];
const access = { admin: true };

export function tokenRoutes(deps: Deps, limiter: RateLimiter) {
  const create = defineRoute(limiter, access, {
    method: "post",
    path: "/v1/tokens",
    tags,
    summary: "Make a platform API token with scopes",
    request: {
      body: { required: true, content: { "application/json": { schema: createApiTokenBodySchema } } },
    },
    responses: {
      201: { description: "shown once", content: { "application/json": { schema: issuedTokenSchema } } },
    },
  });
  const list = defineRoute(limiter, access, {
    method: "get",
    path: "/v1/tokens",
    tags,
    summary: "List platform tokens, newest first, never their text",
    request: { query: pageQuerySchema },
    responses: {
      200: { description: "a page", content: { "application/json": { schema: tokenListSchema } } },
    },
  });
  const revoke = defineRoute(limiter, access, {
    method: "delete",
    path: "/v1/tokens/{id}",
    tags,
    summary: "Revoke a token of a platform or a build",
    request: {
      params: z.object({ id: z.string().regex(idPattern("token"), "a token id looks like tok_…") }),
    },
    responses: { 204: { description: "revoked" } },
  });
  return createRouter()
    .openapi(create, async (context) => {
      const made = await createApiToken(deps, byOf(context), context.req.valid("json"));
      return context.json({ ...made, token: made.token.reveal() }, 201);
    })
    .openapi(list, async (context) => context.json(await listTokens(deps, context.req.valid("query")), 200))
    .openapi(revoke, async (context) => {
      await revokeToken(deps, byOf(context), context.req.valid("param").id);
      return context.body(null, 204);
    });
}
