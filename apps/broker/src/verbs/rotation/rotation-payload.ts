import type { JobRow } from "@keyloan/store";
import * as z from "zod";

const payloadSchema = z.object({
  /** `mint` a second credential beside the old one, `wait` for the cut, `cut`, `prove` the old ones dead. */
  phase: z.enum(["mint", "wait", "cut", "prove", "done", "ended"]),
  /** The values to be proven dead: envelopes under the build's data key, gone when that is done. */
  old: z.array(z.string()).readonly(),
  overlapSeconds: z.number(),
  overlapUntil: z.number().optional(),
  cutAt: z.number().optional(),
  provenDeadAt: z.number().optional(),
  /** Cuts after which the new credential did not work: whoever was late had cut it too. */
  recuts: z.number().default(0),
  reason: z.string().optional(),
});

/** What a rotation needs to know to go on after a crash. */
export type RotationPayload = Readonly<z.output<typeof payloadSchema>>;

/** @throws ZodError for the payload of another kind of job */
export function rotationPayload(job: Pick<JobRow, "payload">): RotationPayload {
  return payloadSchema.parse(job.payload);
}
