import { toCatalogEntries } from "@keyloan/connectors";
import { catalogEndpoints } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import type { CallerLimits } from "../http/caller-limits.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";

export function catalogRoutes(deps: Deps, limits: CallerLimits) {
  const { catalog } = catalogEndpoints;
  const entries = toCatalogEntries([...deps.connectors.values()]);
  return createRouter().openapi(serveEndpoint(limits, catalog), (context) =>
    context.json({ connectors: entries }, 200, { "cache-control": "max-age=300" }),
  );
}
