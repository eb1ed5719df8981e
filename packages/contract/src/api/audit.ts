import * as z from "zod";
import { pageQuerySchema, timestampSchema } from "./common.ts";

export const auditEventSchema = z
  .object({
    id: z.string(),
    at: timestampSchema,
    actor: z.string(),
    action: z.string().meta({ example: "env.read" }),
    entity: z.string(),
    details: z.record(z.string(), z.unknown()),
    requestId: z.string().optional(),
    altered: z.boolean().optional().meta({
      description: "true for a row that differs from what this broker wrote: its content proves nothing",
    }),
  })
  .meta({ id: "AuditEvent" });

export const auditQuerySchema = pageQuerySchema.extend({
  entity: z.string().max(64).optional().meta({ description: "only events of this id" }),
  action: z.string().max(64).optional(),
});

export const auditListSchema = z
  .object({ events: z.array(auditEventSchema).readonly(), nextCursor: z.string().optional() })
  .meta({ id: "AuditList" });

export type AuditEventView = z.output<typeof auditEventSchema>;
export type AuditList = z.output<typeof auditListSchema>;
