import * as z from "zod";

export const healthPartSchema = z.object({
  name: z.string(),
  ok: z.boolean(),
  message: z.string().optional(),
});

export const healthSchema = z
  .object({
    status: z.enum(["ok", "degraded", "failing"]).meta({
      description: "degraded: envs are read as always, and a person has to look at a part",
    }),
    version: z.string(),
    parts: z.array(healthPartSchema).readonly().optional(),
  })
  .meta({ id: "Health" });

export type Health = z.output<typeof healthSchema>;
