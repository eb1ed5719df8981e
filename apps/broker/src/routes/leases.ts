import {
  leaseIdSchema,
  leaseListQuerySchema,
  leaseListSchema,
  listedLeaseSchema,
  revokedLeasesSchema,
  revokeLeaseQuerySchema,
  revokeLeasesBodySchema,
} from "@keyloan/contract";
import * as z from "zod";
import type { Deps } from "../deps.ts";
import { byOf } from "../http/context.ts";
import { warnOfFormerState } from "../http/former-state.ts";
import { json } from "../http/json-content.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";
import { endsWithin } from "../verbs/builds/wait-until-tried.ts";
import { listLeases, showLease } from "../verbs/leases/list-leases.ts";
import { revokeLease, revokeLeases } from "../verbs/leases/revoke-leases.ts";

const tags = ["leases"];
const params = z.object({ id: leaseIdSchema });

export function leaseRoutes(deps: Deps, limiter: RateLimiter) {
  const reading = { admin: true, platform: "builds:read" } as const;
  const list = defineRoute(limiter, reading, {
    method: "get",
    path: "/v1/leases",
    tags,
    summary: "List what is and was lent, newest first, never with values",
    request: { query: leaseListQuerySchema },
    responses: { 200: json("a page", leaseListSchema) },
  });
  const show = defineRoute(limiter, reading, {
    method: "get",
    path: "/v1/leases/{id}",
    tags,
    summary: "Show a lease, never its values",
    request: { params },
    responses: { 200: json("the lease", listedLeaseSchema) },
  });
  const revoke = defineRoute(
    limiter,
    { admin: true, platform: "builds:write" },
    {
      method: "delete",
      path: "/v1/leases/{id}",
      tags,
      summary: "Revoke a lease; its build lives on without it",
      description:
        "Its values are gone when this answers. 202 says that the provider could not be asked yet: the broker goes on until the lease is released. The env of the build is refused from then on, naming the connector. Refused with `person_decides` while its user, who has switched, can go back to it or lets the preview use it.",
      request: { params, query: revokeLeaseQuerySchema },
      responses: {
        200: json("released", listedLeaseSchema),
        202: json("releasing, or a person is asked to end it", listedLeaseSchema),
      },
    },
  );
  const revokeMany = defineRoute(
    limiter,
    { admin: true },
    {
      method: "post",
      path: "/v1/leases/revoke",
      tags,
      summary: "Revoke every lease of a connector, or of the org",
      description:
        "All values are gone when this answers; the providers are asked in the background, as `GET /v1/leases?state=releasing` and the measures show. Nothing keeps the connector from being issued anew: remove its org key first when that is not wanted.",
      request: {
        body: { required: true, content: { "application/json": { schema: revokeLeasesBodySchema } } },
      },
      responses: { 202: json("how many began to end", revokedLeasesSchema) },
    },
  );

  return createRouter()
    .openapi(list, async (context) => {
      warnOfFormerState(context);
      return context.json(await listLeases(deps, context.req.valid("query")), 200);
    })
    .openapi(revokeMany, async (context) => {
      const which = context.req.valid("json");
      return context.json(await revokeLeases(deps, byOf(context), which), 202);
    })
    .openapi(show, async (context) => context.json(await showLease(deps, context.req.valid("param").id), 200))
    .openapi(revoke, async (context) => {
      const { id } = context.req.valid("param");
      const { settled } = await revokeLease(deps, byOf(context), id);
      await endsWithin(deps, settled, context.req.valid("query").wait * 1000);
      const lease = await showLease(deps, id);
      return context.json(lease, lease.state === "released" ? 200 : 202);
    });
}
