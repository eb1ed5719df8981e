import * as z from "zod";
import { timestampSchema } from "./common.ts";

/** The type of the signed text of an audit head, in its header `typ`. */
export const auditHeadType = "keyloan-audit-head";

const sequenceSchema = z.number().int().min(0);
const hashSchema = z.string().regex(/^[0-9a-f]{64}$/);
export const signedHeadSchema = z.string().max(4_096).meta({
  description: "compact JWS (EdDSA) of `{sequence, hash, at}`; check it with `GET /v1/signing-keys`",
});

export const auditHeadSchema = z
  .object({
    sequence: sequenceSchema,
    hash: hashSchema,
    at: timestampSchema,
    signed: signedHeadSchema,
  })
  .meta({ id: "AuditHead" });

/** What a signed head says. */
export const auditHeadPayloadSchema = z.object({
  sequence: sequenceSchema,
  hash: hashSchema,
  at: z.number().int(),
  /** The how many-th head of the broker it is; absent in heads from before they were counted. */
  counter: z.number().int().min(1).optional(),
  /** The counter of the head it follows, where those between were given up by the operator. */
  after: z.number().int().min(0).optional(),
});

export const auditProblemKinds = [
  "edited",
  "removed",
  "reordered",
  "forked",
  "head_mismatch",
  "heads_missing",
  "signature",
  "count",
  "signing_key",
  "shape",
  "out_of_chain",
  "head_overdue",
] as const;
export type AuditProblemKind = (typeof auditProblemKinds)[number];

export const auditProblemSchema = z
  .object({
    sequence: sequenceSchema.meta({
      description: "the first row that is not proven; 0 when the problem is not in a row",
    }),
    kind: z.enum(auditProblemKinds),
    message: z.string(),
  })
  .meta({ id: "AuditProblem" });

const keptHead = signedHeadSchema
  .optional()
  .meta({ description: "a head that was kept elsewhere: with it, missing newest rows are found too" });

export const verifyAuditBodySchema = z.strictObject({ head: keptHead }).meta({ id: "VerifyAuditBody" });

export const auditAnchorSchema = z
  .object({
    by: z.enum(["head", "head_file", "sink"]).meta({
      description:
        "the head sent with the call, the head file given to the broker at start, or the broker's sink",
    }),
    sequence: sequenceSchema.meta({ description: "every row up to and including this one is proven by it" }),
    at: timestampSchema,
  })
  .meta({ id: "AuditAnchor" });

const found = {
  rows: z.number().int(),
  heads: z.number().int(),
  lastSequence: sequenceSchema,
  /** Heads that the operator gave up: what they proved is not in this store. */
  givenUp: z
    .array(z.object({ after: z.number().int(), before: z.number().int(), at: timestampSchema }))
    .readonly()
    .meta({ description: "gaps that `accept-head` made in the count of heads, by counter" }),
  warnings: z.array(z.string()).readonly(),
};

export const auditVerificationSchema = z
  .discriminatedUnion("verdict", [
    z.object({
      verdict: z.literal("anchored"),
      ...found,
      anchors: z.array(auditAnchorSchema).min(1).readonly(),
      through: sequenceSchema.meta({ description: "the last row that is proven from outside the store" }),
    }),
    z.object({ verdict: z.literal("self_consistent"), ...found }),
    z.object({ verdict: z.literal("broken"), ...found, problem: auditProblemSchema }),
  ])
  .meta({ id: "AuditVerification" });

export const acceptHeadBodySchema = z.strictObject({ head: keptHead }).meta({ id: "AcceptHeadBody" });

export const acceptedHeadSchema = z
  .object({
    problem: auditProblemSchema.meta({ description: "what was accepted" }),
    head: auditHeadSchema.meta({ description: "the new end, signed" }),
    lostHeads: z.number().int().meta({ description: "how many signed heads were given up" }),
    removedKeys: z.array(z.string()).readonly().meta({ description: "refused signing keys, removed" }),
    removedRows: z
      .number()
      .int()
      .meta({ description: "rows after the newest head that no broker wrote, removed" }),
    missingRows: z.array(sequenceSchema).readonly().meta({
      description: "rows that this broker wrote and that were taken away, given up: the first of them",
    }),
    missingRowCount: z.number().int().meta({ description: "how many rows that is in all" }),
  })
  .meta({ id: "AcceptedHead" });

export const auditExportQuerySchema = z.object({
  after: z.coerce.number().int().min(0).default(0).meta({ description: "only rows with a greater sequence" }),
});

/** One line of the export. */
export const auditExportLineSchema = z
  .object({
    sequence: sequenceSchema,
    id: z.string(),
    at: timestampSchema,
    actor: z.string(),
    action: z.string(),
    entity: z.string(),
    details: z.record(z.string(), z.unknown()),
    requestId: z.string().nullable(),
    previousHash: hashSchema.nullable(),
    hash: hashSchema.nullable(),
    altered: z.boolean().optional().meta({
      description: "true for a row that differs from what this broker wrote: its content proves nothing",
    }),
  })
  .meta({ id: "AuditExportLine" });

export type AuditHead = z.output<typeof auditHeadSchema>;
export type VerifyAuditBody = z.output<typeof verifyAuditBodySchema>;
export type AuditHeadPayload = z.output<typeof auditHeadPayloadSchema>;
export type AuditProblem = z.output<typeof auditProblemSchema>;
export type AuditAnchor = z.output<typeof auditAnchorSchema>;
export type AcceptHeadBody = z.output<typeof acceptHeadBodySchema>;
export type AcceptedHead = z.output<typeof acceptedHeadSchema>;
export type AuditVerification = z.output<typeof auditVerificationSchema>;
export type AuditExportLine = z.output<typeof auditExportLineSchema>;
