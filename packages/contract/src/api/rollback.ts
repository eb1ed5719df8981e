import * as z from "zod";
import { timestampSchema } from "./common.ts";

export const rehearsalSteps = ["copy", "open", "integrity", "data_keys", "revert", "clean_up"] as const;

export const revertBuildBodySchema = z
  .strictObject({
    reason: z.string().trim().min(1).max(500).optional().meta({
      description:
        "why the admin does it without permission from the app's user; the settings page shows it to them",
    }),
  })
  .meta({ id: "RevertBuild" });

/** What a rollback did on a copy of the store, and how long it took. */
export const rehearsalSchema = z
  .object({
    ok: z.boolean(),
    startedAt: timestampSchema,
    milliseconds: z.number().int().meta({ description: "of all steps together" }),
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
      .meta({ description: "every swapped build that can still go back" }),
  })
  .meta({ id: "Rehearsal" });

export type RevertBuildBody = z.input<typeof revertBuildBodySchema>;
export type Rehearsal = z.output<typeof rehearsalSchema>;
export type RehearsalStep = Rehearsal["steps"][number];
export type RehearsedBuild = Rehearsal["builds"][number];
