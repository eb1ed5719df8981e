import { Secret } from "@keyloan/contract";
import * as z from "zod";
import { callsThrough } from "../kit/calls/define-calls.ts";
import { listOf } from "../kit/list-schema.ts";

const id = z.string().regex(/^[A-Za-z0-9]{16,64}$/);
const success = <T extends z.ZodType>(result: T) => z.object({ success: z.literal(true), result });
const named = listOf(z.object({ id, name: z.string() }));
const active = success(z.object({ id, status: z.string() }));

const policy = z.strictObject({
  effect: z.literal("allow"),
  permission_groups: z.tuple([z.strictObject({ id: z.string() })]),
  resources: z.record(z.string(), z.literal("*")),
});

const tokens = "/client/v4/accounts/{accountId}/tokens";
const { get, post, del } = callsThrough();
/** What is called on an account's own API tokens (Cloudflare API, accounts/tokens); R2 itself is called over S3. */
export const accountCalls = {
  verifyToken: get(`${tokens}/verify`, { doc: "Account API tokens, verify", answer: active }),
  // A token of a person is verified elsewhere than one of the account.
  verifyUserToken: get("/client/v4/user/tokens/verify", { doc: "User API tokens, verify", answer: active }),
  listPermissionGroups: get(`${tokens}/permission_groups`, {
    doc: "Account API tokens, list permission groups",
    query: z.object({ name: z.string().optional() }),
    answer: success(named),
  }),
  listTokens: get(tokens, {
    doc: "Account API tokens, list",
    query: z.object({
      page: z.coerce.number<number>().int().min(1).default(1),
      per_page: z.coerce.number<number>().int().min(5).max(50).default(20),
      direction: z.enum(["asc", "desc"]).default("desc"),
    }),
    answer: success(named).extend({
      result_info: z.object({ per_page: z.int().min(1), total_count: z.int().min(0) }),
    }),
  }),
  createToken: post(tokens, {
    doc: "Account API tokens, create",
    body: z.strictObject({
      name: z.string().min(1).max(120),
      policies: z.tuple([policy]),
      // The documented form has no fraction of seconds.
      expires_on: z.iso.datetime({ precision: 0 }).optional(),
    }),
    answer: success(z.object({ id, value: z.string().min(16).transform(Secret.of) })),
  }),
  deleteToken: del(`${tokens}/{id}`, {
    doc: "Account API tokens, delete",
    answer: z.object({ success: z.literal(true) }),
  }),
};
