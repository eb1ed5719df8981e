import { healthEndpoints, version } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import type { CallerLimits } from "../http/caller-limits.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";
import { createHealthCheck, healthStatus } from "../verbs/check-health.ts";
import { findWarnings } from "../verbs/find-warnings.ts";

export function healthRoutes(deps: Deps, limits: CallerLimits) {
  const check = createHealthCheck(deps);
  const { health, live, ready } = healthEndpoints;
  const ok = { status: "ok" as const, version };
  return createRouter()
    .openapi(serveEndpoint(limits, health), (context) => context.json(ok, 200))
    .openapi(serveEndpoint(limits, live), (context) => context.json(ok, 200))
    .openapi(serveEndpoint(limits, ready), async (context) => {
      const parts = await check();
      const status = healthStatus(parts);
      // The check itself tells the log, and not for everybody who asks.
      context.set("isQuiet", true);
      return context.json({ status, version, parts }, status === "failing" ? 503 : 200);
    });
}

export function operatorRoutes(deps: Deps, limits: CallerLimits) {
  const { metrics, warnings } = healthEndpoints;
  return createRouter()
    .openapi(serveEndpoint(limits, metrics), async (context) => {
      const text = await deps.metrics.render();
      return context.body(text, 200, { "content-type": deps.metrics.contentType }) as never;
    })
    .openapi(serveEndpoint(limits, warnings), async (context) =>
      context.json({ warnings: await findWarnings(deps) }, 200),
    );
}
