import * as z from "zod";
import { type ErrorCode, errorStatuses } from "../errors.ts";
import { idPattern } from "../ids.ts";
import { limits } from "../limits.ts";
import { formerStates } from "../states.ts";

/** Milliseconds since the epoch are stored; the API speaks ISO 8601 in UTC. */
export const timestampSchema = z.iso.datetime().meta({ example: "2026-11-20T12:00:00.000Z" });

export const buildIdSchema = z
  .string()
  .regex(idPattern("build"), "a build id looks like bld_ and 20 characters");

/** One of these states, in a query; a word of the version before is taken for its present one. */
export function stateQuerySchema<State extends string>(states: readonly State[]) {
  return z
    .enum([...states, ...Object.keys(formerStates)] as [string, ...string[]])
    .transform((state) => formerStates[state] ?? state);
}

export const pageQuerySchema = z.strictObject({
  cursor: z.string().max(400).optional().meta({ description: "`nextCursor` of the page before" }),
  limit: z.coerce.number().int().min(1).max(limits.pageSizeMax).default(limits.pageSizeDefault),
});

/** How long an answer may be waited for; the route says for what. */
export function waitQuerySchema(description: string) {
  const { waitSecondsMax, waitSecondsDefault } = limits;
  return z.strictObject({
    wait: z.coerce
      .number()
      .int()
      .min(0)
      .max(waitSecondsMax)
      .default(waitSecondsDefault)
      .meta({ description }),
  });
}

export const errorEnvelopeSchema = z
  .object({
    error: z.object({
      code: z.enum(Object.keys(errorStatuses) as [ErrorCode, ...ErrorCode[]]),
      message: z.string(),
      remedy: z.string().optional().meta({ description: "what to do next" }),
      docsUrl: z.string().optional(),
      details: z.record(z.string(), z.unknown()).optional(),
      requestId: z.string(),
      clientRequestId: z
        .string()
        .optional()
        .meta({ description: "the request's own header `x-request-id`, when it was plain and short" }),
    }),
  })
  .meta({ id: "Error" });

/** Values of one connector by variable name, however they came: in the clear or sealed. */
export const keyValuesSchema = z
  .record(z.string().max(128), z.string().max(limits.keyValueLengthMax))
  .refine((values) => Object.keys(values).length <= limits.keyValuesMax, {
    error: `at most ${limits.keyValuesMax} values`,
  })
  .meta({ maxProperties: limits.keyValuesMax });
