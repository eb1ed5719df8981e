import * as z from "zod";
import { credentialSecondsMax } from "./credentials.ts";

/** R2's part of a build request. */
export const r2OptionsSchema = z
  .strictObject({
    /**
     * Seconds the credentials of the build live, when they should end before the build does. They can be
     * renewed, and cannot be taken back earlier.
     */
    credentialTtlSeconds: z.int().min(60).max(credentialSecondsMax).optional(),
  })
  .default({});
