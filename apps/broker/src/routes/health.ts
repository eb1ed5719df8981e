import { healthSchema, warningListSchema } from "@keyloan/contract";
import * as z from "zod";
import type { Deps } from "../deps.ts";
import { exposureWarnings } from "../exposure.ts";
import { json } from "../http/json-content.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";
import { createHealthCheck, healthStatus } from "../verbs/check-health.ts";
import { version } from "../version.ts";

const tags = ["health"];
const health = (description: string) => json(description, healthSchema);

export function healthRoutes(deps: Deps, limiter: RateLimiter) {
  const check = createHealthCheck(deps);
  const alive = (path: string, summary: string) =>
    defineRoute(limiter, "open", {
      method: "get",
      path,
      tags,
      summary,
      access: "open",
      responses: { 200: health("alive") },
    });
  const ready = defineRoute(limiter, "open", {
    method: "get",
    path: "/health/ready",
    tags,
    summary: "Whether store, keyring and audit can be used",
    responses: {
      200: health("ready, or degraded: a person has to look at a part"),
      503: health("a part is failing"),
    },
  });
  const ok = { status: "ok" as const, version };
  return createRouter()
    .openapi(alive("/health", "Whether the broker answers"), (context) => context.json(ok, 200))
    .openapi(alive("/health/live", "Whether the process is alive"), (context) => context.json(ok, 200))
    .openapi(ready, async (context) => {
      const parts = await check();
      const status = healthStatus(parts);
      // The check itself tells the log, and not for everybody who asks.
      context.set("isQuiet", true);
      return context.json({ status, version, parts }, status === "failing" ? 503 : 200);
    });
}

export function operatorRoutes(deps: Deps, limiter: RateLimiter) {
  const metrics = defineRoute(
    limiter,
    { admin: true },
    {
      method: "get",
      path: "/metrics",
      tags,
      summary: "Measures in the Prometheus text format",
      responses: { 200: { description: "measures", content: { "text/plain": { schema: z.string() } } } },
    },
  );
  const warnings = defineRoute(
    limiter,
    { admin: true },
    {
      method: "get",
      path: "/v1/warnings",
      tags,
      summary: "What the operator should fix although everything works",
      responses: { 200: json("the warnings, none when all is well", warningListSchema) },
    },
  );
  return createRouter()
    .openapi(metrics, async (context) => {
      const text = await deps.metrics.render();
      return context.body(text, 200, { "content-type": deps.metrics.contentType }) as never;
    })
    .openapi(warnings, (context) => context.json({ warnings: exposureWarnings(deps.config) }, 200));
}
