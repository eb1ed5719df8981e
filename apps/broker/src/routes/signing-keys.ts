import { signingKeyEndpoints } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import type { CallerLimits } from "../http/caller-limits.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";

export function signingKeyRoutes(deps: Deps, limits: CallerLimits) {
  const { list } = signingKeyEndpoints;
  return createRouter().openapi(serveEndpoint(limits, list), async (context) =>
    context.json({ keys: await deps.signer.publicKeys() }, 200, { "cache-control": "max-age=300" }),
  );
}
