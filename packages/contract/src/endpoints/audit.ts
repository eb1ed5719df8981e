import { auditListSchema, auditQuerySchema } from "../api/audit.ts";
import {
  acceptedHeadSchema,
  acceptHeadBodySchema,
  auditExportQuerySchema,
  auditHeadSchema,
  auditVerificationSchema,
  verifyAuditBodySchema,
} from "../api/audit-chain.ts";
import { auditMatchesBodySchema, auditMatchesSchema } from "../api/audit-matches.ts";
import { adminOnly, answer, endpoints } from "./endpoint.ts";
import { auditRoutes } from "./routes.ts";

export const auditEndpoints = endpoints("audit", auditRoutes, {
  list: {
    access: adminOnly,
    summary: "Who did what, newest first",
    query: auditQuerySchema,
    answers: { 200: answer("a page", auditListSchema) },
  },
  head: {
    access: adminOnly,
    summary: "The end of the audit chain, signed: keep it out of reach of anyone who can write to the store",
    answers: { 200: answer("the head", auditHeadSchema) },
  },
  verify: {
    access: adminOnly,
    summary:
      "Find edited, removed and reordered rows of the audit, and report what outside the store proves it",
    body: verifyAuditBodySchema,
    example: {},
    isBodyOptional: true,
    answers: { 200: answer("what was found", auditVerificationSchema) },
  },
  accept: {
    access: adminOnly,
    summary:
      "Continue from the store as it is, although something outside it has newer records; the loss is audited",
    body: acceptHeadBodySchema,
    example: {},
    isBodyOptional: true,
    answers: { 200: answer("the new head and what was given up", acceptedHeadSchema) },
  },
  download: {
    access: adminOnly,
    summary: "The audit as JSON lines, oldest first, with hashes",
    query: auditExportQuerySchema,
    answers: { 200: { description: "one row per line", mediaType: "application/x-ndjson" } },
  },
  matches: {
    access: adminOnly,
    summary: "Which of these values were lent, set by the org or are Keyloan tokens, and who fetched them",
    body: auditMatchesBodySchema,
    example: { values: ["sk_test_found_in_a_log"] },
    answers: { 200: answer("what was found; never a value", auditMatchesSchema) },
  },
});
