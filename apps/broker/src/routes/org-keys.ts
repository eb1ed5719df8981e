import { orgKeyEndpoints } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import type { CallerLimits } from "../http/caller-limits.ts";
import { byOf } from "../http/context.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";
import { listOrgKeys, removeOrgKey, showOrgKey } from "../verbs/org-keys/manage-org-keys.ts";
import { putOrgKey } from "../verbs/org-keys/put-org-key.ts";
import { retireOrgKey } from "../verbs/org-keys/retire-org-key.ts";
import { rewrapDataKeys, showRootKey } from "../verbs/root-key/rewrap-data-keys.ts";

export function orgKeyRoutes(deps: Deps, limits: CallerLimits) {
  const { list, show, put, remove, rewrap, rootKey, retire } = orgKeyEndpoints;
  return createRouter()
    .openapi(serveEndpoint(limits, list), async (context) => context.json(await listOrgKeys(deps), 200))
    .openapi(serveEndpoint(limits, show), async (context) =>
      context.json(await showOrgKey(deps, context.req.valid("param").connector), 200),
    )
    .openapi(serveEndpoint(limits, put), async (context) => {
      const { connector } = context.req.valid("param");
      return context.json(
        await putOrgKey(deps, byOf(context), connector, context.req.valid("json").fields),
        200,
      );
    })
    .openapi(serveEndpoint(limits, remove), async (context) => {
      await removeOrgKey(deps, byOf(context), context.req.valid("param").connector);
      return context.body(null, 204);
    })
    .openapi(serveEndpoint(limits, retire), async (context) => {
      const { connector } = context.req.valid("param");
      const input = context.req.valid("json");
      return context.json(await retireOrgKey(deps, byOf(context), connector, input), 200);
    })
    .openapi(serveEndpoint(limits, rootKey), async (context) => context.json(await showRootKey(deps), 200))
    .openapi(serveEndpoint(limits, rewrap), async (context) => {
      return context.json(await rewrapDataKeys(deps, byOf(context)), 200);
    });
}
