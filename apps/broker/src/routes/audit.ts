import { auditEndpoints, Secret, tokenFormKinds } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import { bodyOf } from "../http/body-of.ts";
import type { CallerLimits } from "../http/caller-limits.ts";
import { byOf } from "../http/context.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";
import { acceptHead } from "../verbs/audit/accept-head.ts";
import { exportAudit } from "../verbs/audit/export-audit.ts";
import { findMatches } from "../verbs/audit/find-matches.ts";
import { listAudit } from "../verbs/audit/list-audit.ts";
import { readAuditHead } from "../verbs/audit/sign-head.ts";
import { verifyAudit } from "../verbs/audit/verify-audit.ts";

export function auditRoutes(deps: Deps, limits: CallerLimits) {
  const { list, head, verify, accept, download, matches } = auditEndpoints;
  return createRouter()
    .openapi(serveEndpoint(limits, list), async (context) =>
      context.json(await listAudit(deps, context.req.valid("query")), 200),
    )
    .openapi(serveEndpoint(limits, head), async (context) => {
      return context.json(await readAuditHead(deps, byOf(context)), 200);
    })
    .openapi(serveEndpoint(limits, verify), async (context) => {
      const { head: outside } = bodyOf(context, verify);
      return context.json(await verifyAudit(deps, byOf(context), outside, context.req.raw.signal), 200);
    })
    .openapi(serveEndpoint(limits, accept), async (context) => {
      const { head: outside } = bodyOf(context, accept);
      return context.json(await acceptHead(deps, byOf(context), outside), 200);
    })
    .openapi(serveEndpoint(limits, download), async (context) => {
      const stream = await exportAudit(deps, byOf(context), context.req.valid("query").after);
      return context.body(stream, 200, { "content-type": "application/x-ndjson" }) as never;
    })
    .openapi(serveEndpoint(limits, matches), async (context) => {
      const asked = context.req.valid("json").values.map((text) => {
        const tokenHash = deps.tokens.read(text, tokenFormKinds)?.hash;
        return { value: Secret.of(text), ...(tokenHash === undefined ? {} : { tokenHash }) };
      });
      return context.json(await findMatches(deps, byOf(context), asked), 200);
    });
}
