import * as z from "zod";
import { pageQuerySchema } from "../api/common.ts";
import { createApiTokenBodySchema, issuedTokenSchema, tokenListSchema } from "../api/tokens.ts";
import { idPattern } from "../ids.ts";
import { adminOnly, answer, endpoints } from "./endpoint.ts";
import { tokenRoutes } from "./routes.ts";

export const tokenEndpoints = endpoints("tokens", tokenRoutes, {
  create: {
    access: adminOnly,
    summary: "Make a platform API token with scopes",
    body: createApiTokenBodySchema,
    example: { name: "ci", scopes: ["builds:write"] },
    answers: { 201: answer("shown once", issuedTokenSchema) },
  },
  list: {
    access: adminOnly,
    summary: "List platform tokens, newest first, never their text",
    query: pageQuerySchema,
    answers: { 200: answer("a page", tokenListSchema) },
  },
  revoke: {
    access: adminOnly,
    summary: "Revoke a token of a platform or a build",
    params: z.object({ id: z.string().regex(idPattern("token"), "a token id looks like tok_…") }),
    query: z.strictObject({
      leaked: z.enum(["true", "false"]).default("false").meta({
        description:
          "`true`: also end the links that it made, and the visits of their builds that have not proven who they are",
      }),
    }),
    answers: { 204: { description: "revoked" } },
  },
});
