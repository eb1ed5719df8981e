import { buildEndpoints } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import { bodyOf } from "../http/body-of.ts";
import type { CallerLimits } from "../http/caller-limits.ts";
import { byOf } from "../http/context.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";
import { closeBuild } from "../verbs/builds/close-build.ts";
import { createBuild } from "../verbs/builds/create-build.ts";
import { showBuild } from "../verbs/builds/find-build.ts";
import { listBuilds } from "../verbs/builds/list-builds.ts";
import { renewBuild } from "../verbs/builds/renew-build.ts";
import { endsWithin, waitUntilTried } from "../verbs/builds/wait-until-tried.ts";
import { createBuildToken } from "../verbs/tokens/create-token.ts";

export function buildRoutes(deps: Deps, limits: CallerLimits) {
  const { create, list, show, close, token, renew } = buildEndpoints;
  return createRouter()
    .openapi(serveEndpoint(limits, create), async (context) => {
      const idempotencyKey = context.req.valid("header")["idempotency-key"];
      const input = context.req.valid("json");
      const buildId = await createBuild(deps, byOf(context), input, idempotencyKey);
      const view = await waitUntilTried(deps, buildId, context.req.valid("query").wait);
      return context.json(view, view.state === "provisioning" ? 202 : 201);
    })
    .openapi(serveEndpoint(limits, list), async (context) =>
      context.json(await listBuilds(deps, context.req.valid("query")), 200),
    )
    .openapi(serveEndpoint(limits, show), async (context) =>
      context.json(await showBuild(deps, context.req.valid("param").id), 200),
    )
    .openapi(serveEndpoint(limits, close), async (context) => {
      const { id } = context.req.valid("param");
      const { settled } = await closeBuild(deps, byOf(context), id);
      await endsWithin(deps, settled, context.req.valid("query").wait * 1000);
      const view = await showBuild(deps, id);
      return context.json(view, view.state === "closed" ? 200 : 202);
    })
    .openapi(serveEndpoint(limits, token), async (context) => {
      const { id } = context.req.valid("param");
      const input = bodyOf(context, token);
      const made = await createBuildToken(deps, byOf(context), id, input);
      return context.json({ ...made, token: made.token.reveal() }, 201);
    })
    .openapi(serveEndpoint(limits, renew), async (context) => {
      const input = bodyOf(context, renew);
      const { id } = context.req.valid("param");
      return context.json(await renewBuild(deps, byOf(context), id, input, context.var.token), 200);
    });
}
