import * as z from "zod";
import { transferStates } from "../states.ts";
import { timestampSchema } from "./common.ts";

/** What a transfer is at, in the order they come. */
export const transferPhases = [
  "waiting",
  "freezing",
  "counting",
  "emptying",
  "copying",
  "proving",
  "proven",
] as const;
export type TransferPhase = (typeof transferPhases)[number];

export const transferKinds = ["database", "storage"] as const;

const connectors = z
  .array(z.string().max(64))
  .min(1)
  .max(32)
  .readonly()
  .optional()
  .meta({ description: "default: everything that can be moved and for which the user has working keys" });
const expectedVersion = z.number().int().optional().meta({
  description: "the `version` of the settings that this decision is based on; any other is answered with 409",
});
const overwrite = z.boolean().meta({
  description:
    "data in the target may be replaced: a database is emptied, files of the same name are replaced and no other file is touched",
});

export const startTransferBodySchema = z
  .strictObject({ connectors, overwrite: overwrite.default(false), expectedVersion })
  .meta({ id: "StartTransfer" });
export const changeTransferBodySchema = z
  .strictObject({ connectors, overwrite: overwrite.default(false) })
  .meta({ id: "ChangeTransfer" });

const count = z.number().int().min(0).optional();
export const transferProgressSchema = z
  .object({
    phase: z.enum(transferPhases),
    rows: count,
    rowsTotal: count,
    objects: count,
    objectsTotal: count,
    bytes: count,
    bytesTotal: count,
    item: z
      .string()
      .optional()
      .meta({ description: "the current table or file, for a caller who may have it" }),
  })
  .meta({ id: "TransferProgress" });

export const transferErrorSchema = z
  .object({
    code: z.string(),
    message: z.string(),
    remedy: z.string(),
    retryable: z.boolean(),
    requestId: z.string().optional(),
  })
  .meta({ id: "TransferError" });

export const transferSchema = z
  .object({
    id: z.string(),
    connector: z.string(),
    kind: z.enum(transferKinds),
    state: z.enum(transferStates as [(typeof transferStates)[number], ...typeof transferStates]),
    progress: transferProgressSchema,
    overwrite: z.boolean(),
    sourceReadOnly: z.boolean().meta({ description: "the app cannot write to what was lent" }),
    tidying: z.boolean().meta({ description: "it has ended, and what it began is being undone right now" }),
    startedAt: timestampSchema,
    endedAt: timestampSchema.optional(),
    switchBy: timestampSchema
      .optional()
      .meta({ description: "copied and proven: switch by then, or the copy is discarded" }),
    error: transferErrorSchema.optional(),
    receipt: z.boolean().meta({ description: "a signed receipt is available" }),
  })
  .meta({ id: "Transfer" });

/** One thing of the app that can be moved, and its newest transfer. */
export const movableSchema = z
  .object({
    connector: z.string(),
    kind: z.enum(transferKinds),
    canStart: z.boolean(),
    waitsFor: z
      .enum(["keys", "check", "transfer", "switched"])
      .optional()
      .meta({ description: "why it cannot start now" }),
    transfer: transferSchema.optional(),
  })
  .meta({ id: "Movable" });

export const transferListSchema = z
  .object({ movable: z.array(movableSchema).readonly() })
  .meta({ id: "TransferList" });

export const receiptType = "keyloan-receipt+jwt";

/** What a receipt's signature covers. */
export const receiptPayloadSchema = z.object({
  transferId: z.string(),
  buildId: z.string(),
  connector: z.string(),
  kind: z.enum(transferKinds),
  from: z.record(z.string(), z.string()).meta({ description: "names of what was lent" }),
  to: z
    .object({
      account: z.string().optional(),
      address: z.string().optional(),
      person: z.string().optional().meta({ description: "id of the person whose keys it was moved with" }),
    })
    .optional()
    .meta({ description: "the user's own; shown and signed only for the person, in their receipt" }),
  startedAt: timestampSchema,
  provenAt: timestampSchema,
  proof: z.literal("equal").meta({ description: "both ends were read again and held the same data" }),
  database: z
    .object({
      schemaSha256: z.string(),
      rows: z.number().int(),
      tables: z.array(z.object({ name: z.string(), rows: z.number().int(), sha256: z.string() })).readonly(),
    })
    .optional(),
  storage: z
    .object({
      objects: z.number().int(),
      bytes: z.number().int(),
      manifestSha256: z.string().meta({
        description:
          "over one line of JSON, `[key,bytes,sha256]`, for each object, ordered by the bytes of the key",
      }),
    })
    .optional(),
});

export const receiptSchema = z
  .object({
    connector: z.string(),
    transferId: z.string(),
    content: receiptPayloadSchema,
    receipt: z.string().meta({ description: "compact JWS (EdDSA) of the content; see /v1/signing-keys" }),
  })
  .meta({ id: "Receipt" });

export const receiptListSchema = z
  .object({ receipts: z.array(receiptSchema).readonly() })
  .meta({ id: "ReceiptList" });

export type StartTransferBody = z.input<typeof startTransferBodySchema>;
export type ChangeTransferBody = z.input<typeof changeTransferBodySchema>;
export type TransferView = z.output<typeof transferSchema>;
export type TransferProgress = z.output<typeof transferProgressSchema>;
export type MovableView = z.output<typeof movableSchema>;
export type TransferList = z.output<typeof transferListSchema>;
export type ReceiptPayload = z.output<typeof receiptPayloadSchema>;
export type ReceiptView = z.output<typeof receiptSchema>;
export type ReceiptList = z.output<typeof receiptListSchema>;
