import { signingKeyEndpoints } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";

export function signingKeyRoutes(deps: Deps, limiter: RateLimiter) {
  const { list } = signingKeyEndpoints;
  return createRouter().openapi(serveEndpoint(limiter, list), async (context) =>
    context.json({ keys: await deps.signer.publicKeys() }, 200, { "cache-control": "max-age=300" }),
  );
}
