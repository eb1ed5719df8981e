import type { ConnectorContext } from "@keyloan/contract";
import * as z from "zod";
import { callsThrough } from "../kit/calls/define-calls.ts";
import { everyItem, pageAfter } from "../kit/calls/every-item.ts";
import { type Api, openCalls } from "../kit/calls/open-calls.ts";
import { listOf } from "../kit/list-schema.ts";

const api: Api = {
  provider: "resend",
  baseUrl: "https://api.resend.com",
  // Pages disagree about the status of a wrong key; its name or its words tell ("Resend, errors").
  readRefusal: (_status, body) => {
    const { name, message } = errorSchema.parse(body);
    if (name === "restricted_api_key") return "forbidden";
    return name === "invalid_api_key" || message.includes("API key is invalid") ? "unauthorized" : undefined;
  },
};
const errorSchema = z.object({ name: z.string(), message: z.string() }).catch({ name: "", message: "" });
const keySchema = z.object({ id: z.string().min(1), name: z.string() });
const domainSchema = z.object({ id: z.string().min(1), name: z.string(), status: z.string() });

const { get, post, del } = callsThrough();
export const resendCalls = {
  createKey: post("/api-keys", {
    doc: "API keys, create",
    body: z.strictObject({
      name: z.string().min(1).max(50),
      permission: z.enum(["full_access", "sending_access"]),
      domain_id: z.string().optional(),
    }),
    answer: z.object({ id: z.string().min(1), token: z.string().regex(/^re_\w{16,200}$/) }),
    status: 201,
  }),
  listKeys: get("/api-keys", {
    doc: "API keys, list",
    query: z.object({ limit: z.coerce.number().int().max(100), after: z.string().optional() }),
    answer: z.object({ has_more: z.boolean(), data: listOf(keySchema) }),
  }),
  deleteKey: del("/api-keys/{id}", { doc: "API keys, delete", answer: z.unknown() }),
  listDomains: get("/domains", { doc: "Domains, list", answer: z.object({ data: listOf(domainSchema) }) }),
};

export const openResend = (context: ConnectorContext, key: string) =>
  openCalls(api, resendCalls, context, key);
export type Resend = ReturnType<typeof openResend>;

/** Every key of the account, to the last page. */
export const everyKey = (resend: Resend) =>
  everyItem(api.provider, async (after) =>
    pageAfter(api.provider, await resend.listKeys({ query: { limit: 100, after } })),
  );
