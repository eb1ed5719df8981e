import { toCatalogEntries } from "@keyloan/connectors";
import { catalogSchema } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";

export function catalogRoutes(deps: Deps, limiter: RateLimiter) {
  const catalog = defineRoute(limiter, "open", {
    method: "get",
    path: "/v1/catalog",
    tags: ["catalog"],
    summary: "The connectors: fields, env names, help links, grades",
    responses: {
      200: { description: "all connectors", content: { "application/json": { schema: catalogSchema } } },
    },
  });
  const entries = toCatalogEntries([...deps.connectors.values()]);
  return createRouter().openapi(catalog, (context) =>
    context.json({ connectors: entries }, 200, { "cache-control": "max-age=300" }),
  );
}
