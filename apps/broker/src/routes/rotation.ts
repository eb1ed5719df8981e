import { rotationEndpoints } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import type { CallerLimits } from "../http/caller-limits.ts";
import { byOf } from "../http/context.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";
import { showRotation } from "../verbs/rotation/rotation-view.ts";
import { startRotation } from "../verbs/rotation/start-rotation.ts";

export function rotationRoutes(deps: Deps, limits: CallerLimits) {
  const { start, show } = rotationEndpoints;
  return createRouter()
    .openapi(serveEndpoint(limits, start), async (context) => {
      const input = context.req.valid("json");
      const { id } = context.req.valid("param");
      return context.json(await startRotation(deps, byOf(context), id, input), 202);
    })
    .openapi(serveEndpoint(limits, show), async (context) =>
      context.json(await showRotation(deps, context.req.valid("param").id), 200),
    );
}
