import {
  acceptedHeadSchema,
  acceptHeadBodySchema,
  auditExportQuerySchema,
  auditHeadSchema,
  auditListSchema,
  auditMatchesBodySchema,
  auditMatchesSchema,
  auditQuerySchema,
  auditVerificationSchema,
  Secret,
  tokenFormKinds,
  verifyAuditBodySchema,
} from "@keyloan/contract";
import * as z from "zod";
import type { Deps } from "../deps.ts";
import { byOf } from "../http/context.ts";
import { body, json } from "../http/json-content.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";
import { acceptHead } from "../verbs/audit/accept-head.ts";
import { exportAudit } from "../verbs/audit/export-audit.ts";
import { findMatches } from "../verbs/audit/find-matches.ts";
import { listAudit } from "../verbs/audit/list-audit.ts";
import { readAuditHead } from "../verbs/audit/sign-head.ts";
import { verifyAudit } from "../verbs/audit/verify-audit.ts";

const tags = ["audit"];
const access = { admin: true };

export function auditRoutes(deps: Deps, limiter: RateLimiter) {
  const list = defineRoute(limiter, access, {
    method: "get",
    path: "/v1/audit",
    tags,
    summary: "Who did what, newest first",
    request: { query: auditQuerySchema },
    responses: { 200: json("a page", auditListSchema) },
  });
  const head = defineRoute(limiter, access, {
    method: "get",
    path: "/v1/audit/head",
    tags,
    summary: "The end of the audit chain, signed: keep it where nobody reaches who can write to the store",
    responses: { 200: json("the head", auditHeadSchema) },
  });
  const verify = defineRoute(limiter, access, {
    method: "post",
    path: "/v1/audit/verify",
    tags,
    summary: "Find edited, removed and reordered rows of the audit, and say what outside the store proves it",
    request: { body: { ...body(verifyAuditBodySchema), required: false } },
    responses: { 200: json("what was found", auditVerificationSchema) },
  });
  const accept = defineRoute(limiter, access, {
    method: "post",
    path: "/v1/audit/accept-head",
    tags,
    summary: "Go on from the store as it is, though something outside it knows more; what is lost is audited",
    request: { body: { ...body(acceptHeadBodySchema), required: false } },
    responses: { 200: json("the new head and what was given up", acceptedHeadSchema) },
  });
  const download = defineRoute(limiter, access, {
    method: "get",
    path: "/v1/audit/export",
    tags,
    summary: "The audit as JSON lines, oldest first, with hashes",
    request: { query: auditExportQuerySchema },
    responses: {
      200: { description: "one row a line", content: { "application/x-ndjson": { schema: z.string() } } },
    },
  });
  const matches = defineRoute(limiter, access, {
    method: "post",
    path: "/v1/audit/matches",
    tags,
    summary: "Which of these values were lent, put by the org or are tokens of ours, and who fetched them",
    request: { body: body(auditMatchesBodySchema) },
    responses: { 200: json("what was found; never a value", auditMatchesSchema) },
  });
  return createRouter()
    .openapi(list, async (context) => context.json(await listAudit(deps, context.req.valid("query")), 200))
    .openapi(head, async (context) => {
      return context.json(await readAuditHead(deps, byOf(context)), 200);
    })
    .openapi(verify, async (context) => {
      const { head: outside } = verifyAuditBodySchema.parse(context.req.valid("json") ?? {});
      return context.json(await verifyAudit(deps, byOf(context), outside, context.req.raw.signal), 200);
    })
    .openapi(accept, async (context) => {
      const { head: outside } = acceptHeadBodySchema.parse(context.req.valid("json") ?? {});
      return context.json(await acceptHead(deps, byOf(context), outside), 200);
    })
    .openapi(download, async (context) => {
      const stream = await exportAudit(deps, byOf(context), context.req.valid("query").after);
      return context.body(stream, 200, { "content-type": "application/x-ndjson" }) as never;
    })
    .openapi(matches, async (context) => {
      const asked = context.req.valid("json").values.map((text) => {
        const tokenHash = deps.tokens.read(text, tokenFormKinds)?.hash;
        return { value: Secret.of(text), ...(tokenHash === undefined ? {} : { tokenHash }) };
      });
      return context.json(await findMatches(deps, byOf(context), asked), 200);
    });
}
