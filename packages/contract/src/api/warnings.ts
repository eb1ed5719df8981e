import * as z from "zod";

/** What the broker's operator should fix although everything works. */
export const warningSchema = z
  .object({
    code: z.string(),
    message: z.string(),
    remedy: z.string(),
  })
  .meta({ id: "Warning" });

export const warningListSchema = z
  .object({ warnings: z.array(warningSchema).readonly() })
  .meta({ id: "WarningList" });

export type Warning = z.output<typeof warningSchema>;
export type WarningList = z.output<typeof warningListSchema>;
