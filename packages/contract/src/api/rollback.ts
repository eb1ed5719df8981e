import * as z from "zod";
import { timestampSchema } from "./common.ts";

export const rehearsalSteps = ["copy", "open", "integrity", "data_keys", "revert", "clean_up"] as const;

export const revertBuildBodySchema = z
  .strictObject({
    reason: z.string().trim().min(1).max(500).optional().meta({
      description:
        "why the admin does it without being allowed to by the app's user, who reads it on the settings page",
    }),
  })
  .meta({ id: "RevertBuild" });

/** What a rollback did on a copy of the store, and how long it took. */
export const rehearsalSchema = z
  .object({
    ok: z.boolean(),
    startedAt: timestampSchema,
    milliseconds: z.number().int().meta({ description: "of everything together" }),
    steps: z
      .array(
        z.object({
          name: z.enum(rehearsalSteps),
          ok: z.boolean(),
          milliseconds: z.number().int(),
          message: z.string(),
        }),
      )
      .readonly(),
    builds: z
      .array(
        z.object({
          id: z.string(),
          name: z.string(),
          ok: z.boolean(),
          milliseconds: z.number().int(),
          message: z.string(),
        }),
      )
      .readonly()
      .meta({ description: "every swapped build whose time to go back is not over" }),
  })
  .meta({ id: "Rehearsal" });

export type RevertBuildBody = z.input<typeof revertBuildBodySchema>;
export type Rehearsal = z.output<typeof rehearsalSchema>;
export type RehearsalStep = Rehearsal["steps"][number];
export type RehearsedBuild = Rehearsal["builds"][number];
