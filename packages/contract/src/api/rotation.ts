import * as z from "zod";
import { timestampSchema } from "./common.ts";

export const overlapSecondsMax = 24 * 3600;

export const rotateLeaseBodySchema = z
  .strictObject({
    overlapSeconds: z.number().int().min(0).max(overlapSecondsMax).default(0).meta({
      description:
        "how long old and new values work side by side; 0 cuts at once. Values fetched before the cut end with it",
    }),
    reason: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .meta({ description: "reason for the audit, such as `leak`" }),
  })
  .meta({ id: "RotateLease" });

export const rotationStates = [
  "minting",
  "overlapping",
  "cutting",
  "proving",
  "requires_action",
  "done",
  "ended",
  "failed",
  "cancelled",
] as const;

export const rotationSchema = z
  .object({
    lease: z.string(),
    build: z.string(),
    connector: z.string(),
    job: z.string(),
    state: z.enum(rotationStates).meta({
      description: "`ended`: the lease itself ended meanwhile, and every credential with it",
    }),
    startedAt: timestampSchema,
    overlapUntil: timestampSchema.optional(),
    cutAt: timestampSchema.optional().meta({
      description: "when every older credential was ended: values fetched before then do not work",
    }),
    provenDead: z
      .boolean()
      .meta({ description: "the provider was confirmed to refuse every older credential" }),
    provenDeadAt: timestampSchema.optional(),
    next: z.string().meta({ description: "what to do now, in one sentence" }),
  })
  .meta({ id: "Rotation" });

export type RotateLeaseBody = z.input<typeof rotateLeaseBodySchema>;
export type RotationState = (typeof rotationStates)[number];
export type RotationView = z.output<typeof rotationSchema>;
