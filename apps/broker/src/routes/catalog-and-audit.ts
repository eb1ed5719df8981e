import { toCatalogEntries } from "@keyloan/connectors";
import { auditListSchema, auditQuerySchema, catalogSchema } from "@keyloan/contract";
import type { RateLimiter } from "../http/rate-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";
import type { Services } from "../services.ts";
import { listAudit } from "../verbs/list-audit.ts";

export function catalogAndAuditRoutes(services: Services, limiter: RateLimiter) {
  const catalog = defineRoute(limiter, "open", {
    method: "get",
    path: "/v1/catalog",
    tags: ["catalog"],
    summary: "The connectors: fields, env names, help links, grades",
    responses: {
      200: { description: "all connectors", content: { "application/json": { schema: catalogSchema } } },
    },
  });
  const audit = defineRoute(
    limiter,
    { admin: true },
    {
      method: "get",
      path: "/v1/audit",
      tags: ["audit"],
      summary: "Who did what, newest first",
      request: { query: auditQuerySchema },
      responses: {
        200: { description: "a page", content: { "application/json": { schema: auditListSchema } } },
      },
    },
  );
  const entries = toCatalogEntries([...services.connectors.values()]);
  return createRouter()
    .openapi(catalog, (context) =>
      context.json({ connectors: entries }, 200, { "cache-control": "max-age=300" }),
    )
    .openapi(audit, async (context) =>
      context.json(await listAudit(services, context.req.valid("query")), 200),
    );
}
