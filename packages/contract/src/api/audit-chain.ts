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
});

export const auditProblemKinds = [
  "edited",
  "removed",
  "reordered",
  "forked",
  "head_mismatch",
  "signature",
] as const;
export type AuditProblemKind = (typeof auditProblemKinds)[number];

export const verifyAuditBodySchema = z
  .strictObject({
    head: signedHeadSchema
      .optional()
      .meta({ description: "a head that was kept elsewhere: with it a cut end is found too" }),
  })
  .meta({ id: "VerifyAuditBody" });

export const auditVerificationSchema = z
  .object({
    ok: z.boolean(),
    rows: z.number().int(),
    heads: z.number().int(),
    lastSequence: sequenceSchema,
    firstProblem: z
      .object({
        sequence: sequenceSchema,
        kind: z.enum(auditProblemKinds),
        message: z.string(),
      })
      .optional(),
  })
  .meta({ id: "AuditVerification" });

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
  })
  .meta({ id: "AuditExportLine" });

export type AuditHead = z.output<typeof auditHeadSchema>;
export type VerifyAuditBody = z.output<typeof verifyAuditBodySchema>;
export type AuditVerification = z.output<typeof auditVerificationSchema>;
export type AuditExportLine = z.output<typeof auditExportLineSchema>;
