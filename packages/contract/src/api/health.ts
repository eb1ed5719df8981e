import * as z from "zod";

export const healthPartSchema = z.object({
  name: z.string(),
  ok: z.boolean(),
  message: z.string().optional(),
});

export const healthSchema = z
  .object({
    status: z.enum(["ok", "failing"]),
    version: z.string(),
    parts: z.array(healthPartSchema).readonly().optional(),
  })
  .meta({ id: "Health" });

export type Health = z.output<typeof healthSchema>;
