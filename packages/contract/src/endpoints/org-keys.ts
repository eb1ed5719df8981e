import * as z from "zod";
import {
  orgKeyListSchema,
  orgKeySchema,
  putOrgKeyBodySchema,
  retireOrgKeyBodySchema,
  rewrapResultSchema,
  rootKeyStatusSchema,
} from "../api/org-keys.ts";
import { adminOnly, answer, endpoints } from "./endpoint.ts";
import { orgKeyRoutes } from "./routes.ts";

const params = z.object({ connector: z.string().max(64) });

export const orgKeyEndpoints = endpoints({ tag: "org keys", group: "orgKeys" }, orgKeyRoutes, {
  list: {
    access: adminOnly,
    summary: "List the org's keys: versions and states, never values",
    answers: { 200: answer("all", orgKeyListSchema) },
  },
  show: {
    access: adminOnly,
    summary: "Show an org key: version, fingerprint, state, never the value",
    params,
    answers: { 200: answer("the newest version", orgKeySchema) },
  },
  put: {
    access: adminOnly,
    summary: "Check a key at its provider and seal it as the next version",
    params,
    body: putOrgKeyBodySchema,
    example: { fields: { STRIPE_SECRET_KEY: "sk_test_of_the_org" } },
    answers: { 200: answer("sealed", orgKeySchema) },
  },
  remove: {
    access: adminOnly,
    summary: "Stop lending an org key",
    params,
    answers: { 204: { description: "no longer lent" } },
  },
  rewrap: {
    access: adminOnly,
    summary: "Rewrap data keys under the current root key, for a few seconds: call again until none are left",
    answers: { 200: answer("how many were rewrapped, and how many are left", rewrapResultSchema) },
  },
  rootKey: {
    access: adminOnly,
    summary: "Which root keys wrap how many data keys",
    answers: { 200: answer("by root key id, never a key", rootKeyStatusSchema) },
  },
  retire: {
    access: adminOnly,
    summary: "Check now whether replaced versions are dead at the provider, or end them there first",
    params,
    body: retireOrgKeyBodySchema,
    example: { end: true },
    answers: { 200: answer("every version of the key", orgKeyListSchema) },
  },
});
