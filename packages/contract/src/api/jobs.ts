import * as z from "zod";
import { connectorIdPattern, idPattern } from "../ids.ts";
import { jobStates } from "../states.ts";
import {
  buildIdSchema,
  keyValuesSchema,
  pageQuerySchema,
  stateQuerySchema,
  timestampSchema,
} from "./common.ts";

export const jobIdSchema = z.string().regex(idPattern("job"), "a job id looks like job_ and 20 characters");

export const jobStepSchema = z
  .object({ text: z.string(), url: z.string().optional() })
  .meta({ id: "JobStep", description: "one thing to do, with the page to do it on" });

export const requiredActionSchema = z
  .object({
    since: timestampSchema,
    dueAt: timestampSchema,
    hoursLeft: z.number().meta({ description: "until `dueAt`; negative when that has passed" }),
    overdue: z.boolean(),
    steps: z.array(jobStepSchema).readonly(),
    variables: z.array(z.string()).readonly().optional().meta({
      description: "names whose values can be supplied instead, with `POST /v1/jobs/{id}/values`",
    }),
    remindedAt: timestampSchema.optional(),
  })
  .meta({ id: "RequiredAction", description: "what a person must do, and by when" });

export const jobSchema = z
  .object({
    id: z.string(),
    kind: z.string().meta({ example: "issue" }),
    state: z.enum(jobStates as [string, ...string[]]),
    entity: z.string().meta({ description: "what it works on, such as a lease" }),
    build: z.string().optional(),
    connector: z.string().optional(),
    attempts: z.number().int().meta({ description: "runs so far" }),
    running: z.boolean().meta({ description: "a broker is working on it right now" }),
    createdAt: timestampSchema,
    nextRunAt: timestampSchema.optional().meta({ description: "when it runs next" }),
    endedAt: timestampSchema.optional(),
    requiredAction: requiredActionSchema.optional(),
    lastError: z
      .object({ code: z.string(), message: z.string().optional(), remedy: z.string().optional() })
      .optional(),
  })
  .meta({ id: "Job" });

export const jobListQuerySchema = pageQuerySchema.extend({
  state: stateQuerySchema(jobStates).optional(),
  kind: z
    .string()
    .max(40)
    .regex(/^[a-z]+(?:-[a-z]+)*$/, "a kind is lower-case words and dashes")
    .optional(),
  buildId: buildIdSchema.optional(),
  connector: z
    .string()
    .max(64)
    .regex(connectorIdPattern, "a connector id is lower-case words and dashes")
    .optional(),
});

export const jobListSchema = z
  .object({ jobs: z.array(jobSchema).readonly(), nextCursor: z.string().optional() })
  .meta({ id: "JobList" });

export const supplyValuesBodySchema = z
  .strictObject({
    values: keyValuesSchema.meta({
      description: "variables by name, as `requiredAction.variables` lists them",
    }),
    force: z.boolean().default(false).meta({
      description: "also accept values that could not be checked; refused values are never accepted",
    }),
  })
  .meta({ id: "SupplyValues" });

export const cancelJobBodySchema = z
  .strictObject({
    confirm: z.string().max(400).optional().meta({
      description: "for a release: the name of the resource, to confirm that a person has removed it by hand",
    }),
  })
  .meta({ id: "CancelJob" });

export const cancelledJobSchema = z
  .object({
    job: jobSchema,
    lacks: z
      .object({ connector: z.string(), variables: z.array(z.string()).readonly() })
      .optional()
      .meta({ description: "what the build continues without" }),
    verified: z.boolean().optional().meta({
      description: "the provider confirms that the resource is gone; false: the provider could not be asked",
    }),
  })
  .meta({ id: "CancelledJob" });

export type JobStep = z.output<typeof jobStepSchema>;
export type JobView = z.output<typeof jobSchema>;
export type JobList = z.output<typeof jobListSchema>;
export type JobListQuery = z.output<typeof jobListQuerySchema>;
export type SupplyValuesBody = z.input<typeof supplyValuesBodySchema>;
export type CancelJobBody = z.input<typeof cancelJobBodySchema>;
export type CancelledJob = z.output<typeof cancelledJobSchema>;
