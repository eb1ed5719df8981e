import {
  orgKeyListSchema,
  orgKeySchema,
  putOrgKeyBodySchema,
  retireOrgKeyBodySchema,
  rewrapResultSchema,
  rootKeyStatusSchema,
} from "@keyloan/contract";
import * as z from "zod";
import type { Deps } from "../deps.ts";
import { byOf } from "../http/context.ts";
import { body, json } from "../http/json-content.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";
import { listOrgKeys, removeOrgKey, showOrgKey } from "../verbs/org-keys/manage-org-keys.ts";
import { putOrgKey } from "../verbs/org-keys/put-org-key.ts";
import { retireOrgKey } from "../verbs/org-keys/retire-org-key.ts";
import { rewrapDataKeys, showRootKey } from "../verbs/root-key/rewrap-data-keys.ts";

const tags = ["org keys"];
const access = { admin: true };
const params = z.object({ connector: z.string().max(64) });
const orgKey = (description: string) => ({
  description,
  content: { "application/json": { schema: orgKeySchema } },
});

export function orgKeyRoutes(deps: Deps, limiter: RateLimiter) {
  const list = defineRoute(limiter, access, {
    method: "get",
    path: "/v1/org-keys",
    tags,
    summary: "List the org's keys: versions and states, never values",
    responses: { 200: { description: "all", content: { "application/json": { schema: orgKeyListSchema } } } },
  });
  const show = defineRoute(limiter, access, {
    method: "get",
    path: "/v1/org-keys/{connector}",
    tags,
    summary: "Show an org key: version, fingerprint, state, never the value",
    request: { params },
    responses: { 200: orgKey("the newest version") },
  });
  const put = defineRoute(limiter, access, {
    method: "put",
    path: "/v1/org-keys/{connector}",
    tags,
    summary: "Check a key at its provider and seal it as the next version",
    request: {
      params,
      body: { required: true, content: { "application/json": { schema: putOrgKeyBodySchema } } },
    },
    responses: { 200: orgKey("sealed") },
  });
  const remove = defineRoute(limiter, access, {
    method: "delete",
    path: "/v1/org-keys/{connector}",
    tags,
    summary: "Stop lending an org key",
    request: { params },
    responses: { 204: { description: "not lent any more" } },
  });
  const rewrap = defineRoute(limiter, access, {
    method: "post",
    path: "/v1/root-key/rewrap",
    tags,
    summary:
      "Wrap data keys anew under the current root key, for some seconds: call again until none is left",
    responses: { 200: json("how many were wrapped, and how many are left", rewrapResultSchema) },
  });
  const rootKey = defineRoute(limiter, access, {
    method: "get",
    path: "/v1/root-key",
    tags,
    summary: "Which root keys wrap how many data keys",
    responses: { 200: json("by root key id, never a key", rootKeyStatusSchema) },
  });
  const retire = defineRoute(limiter, access, {
    method: "post",
    path: "/v1/org-keys/{connector}/retire",
    tags,
    summary: "Ask now whether replaced versions are dead at the provider, or end them there first",
    request: { params, body: body(retireOrgKeyBodySchema) },
    responses: { 200: json("every version of the key", orgKeyListSchema) },
  });
  return createRouter()
    .openapi(list, async (context) => context.json(await listOrgKeys(deps), 200))
    .openapi(show, async (context) =>
      context.json(await showOrgKey(deps, context.req.valid("param").connector), 200),
    )
    .openapi(put, async (context) => {
      const { connector } = context.req.valid("param");
      return context.json(
        await putOrgKey(deps, byOf(context), connector, context.req.valid("json").fields),
        200,
      );
    })
    .openapi(remove, async (context) => {
      await removeOrgKey(deps, byOf(context), context.req.valid("param").connector);
      return context.body(null, 204);
    })
    .openapi(retire, async (context) => {
      const { connector } = context.req.valid("param");
      const input = context.req.valid("json");
      return context.json(await retireOrgKey(deps, byOf(context), connector, input), 200);
    })
    .openapi(rootKey, async (context) => context.json(await showRootKey(deps), 200))
    .openapi(rewrap, async (context) => {
      return context.json(await rewrapDataKeys(deps, byOf(context)), 200);
    });
}
