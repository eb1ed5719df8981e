import * as z from "zod";
import { buildIdSchema, pageQuerySchema } from "../api/common.ts";
import { visitListSchema } from "../api/persons.ts";
import { tokenListSchema } from "../api/tokens.ts";
import { idPattern } from "../ids.ts";
import { answer, buildReaders, buildWriters, endpoints } from "./endpoint.ts";
import { visitRoutes } from "./routes.ts";

const params = z.object({ id: buildIdSchema });

export const visitEndpoints = endpoints({ tag: "tokens", group: "visits" }, visitRoutes, {
  sessions: {
    tag: "builds",
    access: buildReaders,
    summary: "List visits of the build's settings page, newest first",
    params,
    answers: { 200: answer("at most 200", visitListSchema) },
  },
  endSession: {
    tag: "builds",
    access: buildWriters,
    summary: "End a visit; the same person can open the page again",
    params: params.extend({
      sessionId: z.string().regex(idPattern("session"), "a session id looks like ses_…"),
    }),
    answers: { 204: { description: "ended" } },
  },
  tokens: {
    access: buildReaders,
    summary: "List the build's tokens, newest first, never their text",
    params,
    query: pageQuerySchema,
    answers: { 200: answer("a page", tokenListSchema) },
  },
  endToken: {
    access: { admin: true, platform: "tokens:write" },
    summary: "End a token of the build",
    params: params.extend({
      tokenId: z.string().regex(idPattern("token"), "a token id looks like tok_…"),
    }),
    answers: { 204: { description: "ended" } },
  },
});
