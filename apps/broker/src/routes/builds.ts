import {
  buildIdSchema,
  buildListQuerySchema,
  buildListSchema,
  buildSchema,
  createBuildBodySchema,
  createBuildQuerySchema,
  createBuildTokenBodySchema,
  issuedTokenSchema,
  limits,
  renewBodySchema,
} from "@keyloan/contract";
import * as z from "zod";
import type { Deps } from "../deps.ts";
import { byOf } from "../http/context.ts";
import { limitWork } from "../http/limit-callers.ts";
import { createRateLimiter, type RateLimiter } from "../http/rate-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";
import { closeBuild } from "../verbs/builds/close-build.ts";
import { createBuild } from "../verbs/builds/create-build.ts";
import { showBuild } from "../verbs/builds/find-build.ts";
import { listBuilds } from "../verbs/builds/list-builds.ts";
import { renewBuild } from "../verbs/builds/renew-build.ts";
import { endsWithin, waitUntilTried } from "../verbs/builds/wait-until-tried.ts";
import { createBuildToken } from "../verbs/tokens/create-token.ts";

const tags = ["builds"];
const params = z.object({ id: buildIdSchema });
const build = (description: string) => ({
  description,
  content: { "application/json": { schema: buildSchema } },
});
const body = <Schema extends z.ZodType>(schema: Schema, required = true) => ({
  required,
  content: { "application/json": { schema } },
});

export function buildRoutes(deps: Deps, limiter: RateLimiter) {
  // A renewal asks providers, whose limits all builds share: five at once for a build, then one every ten seconds.
  const renewals = createRateLimiter(deps.config.rateLimitPerSecond === 0 ? 0 : 0.1, 5);
  const create = defineRoute(
    limiter,
    { admin: true, platform: "builds:write" },
    {
      method: "post",
      path: "/v1/builds",
      tags,
      summary: "Create a build and lend it a set of working keys",
      description:
        "Answers 201 when every key is ready, or 202 with the state so far after `wait` seconds or when a connector failed. The same Idempotency-Key and body give the same build.",
      request: {
        query: createBuildQuerySchema,
        headers: z.object({
          "idempotency-key": z
            .string()
            .regex(/^[\x21-\x7e]+$/, "visible ASCII characters only")
            .max(limits.idempotencyKeyLengthMax)
            .optional(),
        }),
        body: body(createBuildBodySchema),
      },
      responses: { 201: build("ready"), 202: build("not ready yet, or not everything could be issued") },
    },
  );
  const list = defineRoute(
    limiter,
    { admin: true, platform: "builds:read" },
    {
      method: "get",
      path: "/v1/builds",
      tags,
      summary: "List builds, newest first",
      request: { query: buildListQuerySchema },
      responses: {
        200: {
          description: "a page of builds",
          content: { "application/json": { schema: buildListSchema } },
        },
      },
    },
  );
  const show = defineRoute(
    limiter,
    { admin: true, platform: "builds:read" },
    {
      method: "get",
      path: "/v1/builds/{id}",
      tags,
      summary: "Show a build with its leases, never their values",
      request: { params },
      responses: { 200: build("the build") },
    },
  );
  const close = defineRoute(
    limiter,
    { admin: true, platform: "builds:write" },
    {
      method: "delete",
      path: "/v1/builds/{id}",
      tags,
      summary: "Close a build: revoke everything and shred its data key",
      description:
        "Its tokens and values are dead when this answers. 202 says that a provider could not be asked yet: the broker goes on until every lease is released.",
      request: { params, query: createBuildQuerySchema },
      responses: { 200: build("closed"), 202: build("closing") },
    },
  );
  const token = defineRoute(
    limiter,
    { admin: true, platform: "tokens:write" },
    {
      method: "post",
      path: "/v1/builds/{id}/tokens",
      tags,
      summary: "Make a short token that reads this build's env and nothing else",
      request: { params, body: body(createBuildTokenBodySchema, false) },
      responses: {
        201: { description: "shown once", content: { "application/json": { schema: issuedTokenSchema } } },
      },
    },
  );
  const renew = defineRoute(
    limiter,
    { admin: true, platform: "builds:write", workload: true },
    {
      method: "post",
      path: "/v1/builds/{id}/renew",
      tags,
      summary: "Move the expiry and mint anew what expires with it",
      description:
        "An expiry that would move by less than a tenth of `ttlSeconds` stays, unless it reaches the renewable end: the answer is the build as it is, and no provider is asked but for credentials that live shorter than the build. Five at once for a build, then one every ten seconds; the tokens of a build count together.",
      middleware: [limitWork(renewals)],
      request: { params, body: body(renewBodySchema, false) },
      responses: { 200: build("renewed") },
    },
  );

  return createRouter()
    .openapi(create, async (context) => {
      const idempotencyKey = context.req.valid("header")["idempotency-key"];
      const input = context.req.valid("json");
      const buildId = await createBuild(deps, byOf(context), input, idempotencyKey);
      const view = await waitUntilTried(deps, buildId, context.req.valid("query").wait);
      return context.json(view, view.state === "provisioning" ? 202 : 201);
    })
    .openapi(list, async (context) => context.json(await listBuilds(deps, context.req.valid("query")), 200))
    .openapi(show, async (context) => context.json(await showBuild(deps, context.req.valid("param").id), 200))
    .openapi(close, async (context) => {
      const { id } = context.req.valid("param");
      const { settled } = await closeBuild(deps, byOf(context), id);
      await endsWithin(deps, settled, context.req.valid("query").wait * 1000);
      const view = await showBuild(deps, id);
      return context.json(view, view.state === "closed" ? 200 : 202);
    })
    .openapi(token, async (context) => {
      const { id } = context.req.valid("param");
      const input = createBuildTokenBodySchema.parse(context.req.valid("json") ?? {});
      const made = await createBuildToken(deps, byOf(context), id, input);
      return context.json({ ...made, token: made.token.reveal() }, 201);
    })
    .openapi(renew, async (context) => {
      const input = context.req.valid("json") ?? {};
      const { id } = context.req.valid("param");
      return context.json(await renewBuild(deps, byOf(context), id, input, context.var.token), 200);
    });
}
