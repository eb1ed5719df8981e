import * as z from "zod";
import { archiveStates, leaseStates } from "../states.ts";
import { timestampSchema } from "./common.ts";

/** What archiving or restoring is at, in the order they come. */
export const archivePhases = ["waiting", "freezing", "dumping", "loading", "comparing", "dropping"] as const;

export const archiveProgressSchema = z
  .object({
    phase: z.enum(archivePhases),
    rows: z.number().int().min(0).optional(),
    bytes: z.number().int().min(0).optional(),
    item: z.string().optional().meta({ description: "the current table, for a caller who may have it" }),
  })
  .meta({ id: "ArchiveProgress" });

export const archiveSchema = z
  .object({
    id: z.string(),
    state: z.enum(archiveStates as [(typeof archiveStates)[number], ...typeof archiveStates]),
    bytes: z.number().int().optional().meta({ description: "size of the sealed, compressed file" }),
    tables: z.number().int().optional(),
    rows: z.number().int().optional(),
    createdAt: timestampSchema,
    verifiedAt: timestampSchema
      .optional()
      .meta({ description: "when it was read back, loaded elsewhere and found to be the same" }),
    droppedAt: timestampSchema.optional().meta({ description: "when its database was ended" }),
    restoredAt: timestampSchema.optional(),
    error: z.string().optional().meta({ description: "why it failed" }),
  })
  .meta({ id: "Archive" });

export const databaseSchema = z
  .object({
    connector: z.string(),
    leaseId: z.string(),
    state: z.enum(leaseStates as [string, ...string[]]),
    usedRows: z
      .number()
      .int()
      .optional()
      .meta({ description: "rows read and written this month, as counted by the provider" }),
    idleSince: timestampSchema.optional().meta({ description: "not used since then" }),
    archiveAt: timestampSchema
      .optional()
      .meta({ description: "when it is archived automatically if it stays idle" }),
    running: z
      .object({
        kind: z.enum(["archive", "restore"]),
        state: z.enum(["waiting", "requires_action"]),
        progress: archiveProgressSchema,
      })
      .optional()
      .meta({ description: "the operation in progress" }),
    error: z
      .object({ code: z.string(), message: z.string(), remedy: z.string() })
      .optional()
      .meta({ description: "why the last attempt to archive or restore it failed" }),
    archives: z.array(archiveSchema).readonly().meta({ description: "newest first" }),
  })
  .meta({ id: "Database" });

export const databaseListSchema = z
  .object({ databases: z.array(databaseSchema).readonly() })
  .meta({ id: "DatabaseList" });

export type ArchiveProgress = z.output<typeof archiveProgressSchema>;
export type ArchiveView = z.output<typeof archiveSchema>;
export type DatabaseView = z.output<typeof databaseSchema>;
export type DatabaseList = z.output<typeof databaseListSchema>;
