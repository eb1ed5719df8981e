import * as z from "zod";
import {
  orgKeyListSchema,
  orgKeySchema,
  putOrgKeyBodySchema,
  retireOrgKeyBodySchema,
  rewrapResultSchema,
  rootKeyStatusSchema,
} from "../api/org-keys.ts";
import { answer, endpoint } from "./endpoint.ts";
import { orgKeyRoutes } from "./routes.ts";

const params = z.object({ connector: z.string().max(64) });

export const orgKeyEndpoints = {
  list: endpoint(orgKeyRoutes.list, {
    tag: "org keys",
    access: { admin: true },
    summary: "List the org's keys: versions and states, never values",
    answers: { 200: answer("all", orgKeyListSchema) },
  }),
  show: endpoint(orgKeyRoutes.show, {
    tag: "org keys",
    access: { admin: true },
    summary: "Show an org key: version, fingerprint, state, never the value",
    params,
    answers: { 200: answer("the newest version", orgKeySchema) },
  }),
  put: endpoint(orgKeyRoutes.put, {
    tag: "org keys",
    access: { admin: true },
    summary: "Check a key at its provider and seal it as the next version",
    params,
    body: putOrgKeyBodySchema,
    answers: { 200: answer("sealed", orgKeySchema) },
  }),
  remove: endpoint(orgKeyRoutes.remove, {
    tag: "org keys",
    access: { admin: true },
    summary: "Stop lending an org key",
    params,
    answers: { 204: { description: "not lent any more" } },
  }),
  rewrap: endpoint(orgKeyRoutes.rewrap, {
    tag: "org keys",
    access: { admin: true },
    summary:
      "Wrap data keys anew under the current root key, for some seconds: call again until none is left",
    answers: { 200: answer("how many were wrapped, and how many are left", rewrapResultSchema) },
  }),
  rootKey: endpoint(orgKeyRoutes.rootKey, {
    tag: "org keys",
    access: { admin: true },
    summary: "Which root keys wrap how many data keys",
    answers: { 200: answer("by root key id, never a key", rootKeyStatusSchema) },
  }),
  retire: endpoint(orgKeyRoutes.retire, {
    tag: "org keys",
    access: { admin: true },
    summary: "Ask now whether replaced versions are dead at the provider, or end them there first",
    params,
    body: retireOrgKeyBodySchema,
    answers: { 200: answer("every version of the key", orgKeyListSchema) },
  }),
};
