import * as z from "zod";

export const healthPartSchema = z.object({
  name: z.string(),
  ok: z.boolean(),
  message: z.string().optional(),
});

export const healthSchema = z
  .object({
    status: z.enum(["ok", "degraded", "failing"]).meta({
      description: "degraded: envs can be read as usual, but a part requires manual action",
    }),
    version: z.string(),
    parts: z.array(healthPartSchema).readonly().optional(),
  })
  .meta({ id: "Health" });

export type Health = z.output<typeof healthSchema>;
