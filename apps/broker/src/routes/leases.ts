import { leaseEndpoints } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import type { CallerLimits } from "../http/caller-limits.ts";
import { byOf } from "../http/context.ts";
import { warnOfFormerState } from "../http/former-state.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";
import { endsWithin } from "../verbs/builds/wait-until-tried.ts";
import { listLeases, showLease } from "../verbs/leases/list-leases.ts";
import { revokeLease, revokeLeases } from "../verbs/leases/revoke-leases.ts";

export function leaseRoutes(deps: Deps, limits: CallerLimits) {
  const { list, show, revoke, revokeMany } = leaseEndpoints;
  return createRouter()
    .openapi(serveEndpoint(limits, list), async (context) => {
      warnOfFormerState(context);
      return context.json(await listLeases(deps, context.req.valid("query")), 200);
    })
    .openapi(serveEndpoint(limits, revokeMany), async (context) => {
      const which = context.req.valid("json");
      return context.json(await revokeLeases(deps, byOf(context), which), 202);
    })
    .openapi(serveEndpoint(limits, show), async (context) =>
      context.json(await showLease(deps, context.req.valid("param").id), 200),
    )
    .openapi(serveEndpoint(limits, revoke), async (context) => {
      const { id } = context.req.valid("param");
      const { settled } = await revokeLease(deps, byOf(context), id);
      await endsWithin(deps, settled, context.req.valid("query").wait * 1000);
      const lease = await showLease(deps, id);
      return context.json(lease, lease.state === "released" ? 200 : 202);
    });
}
