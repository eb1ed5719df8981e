import type { ClaimedJob } from "@keyloan/store";
import * as z from "zod";
import type { Deps } from "../deps.ts";
import { newWaitingJob } from "../queue/new-job.ts";

const noticeSchema = z.object({
  type: z.string(),
  message: z.string(),
  buildId: z.string().optional(),
  connectorId: z.string().optional(),
  jobId: z.string().optional(),
  remedy: z.string().optional(),
  steps: z
    .array(z.object({ text: z.string(), url: z.string().optional() }).readonly())
    .readonly()
    .optional(),
  dueAt: z.number().optional(),
});

/** What a person should know. It leaves the broker, so it holds names, ids and times, never a value. */
export type Notice = Readonly<z.infer<typeof noticeSchema>> & {
  /** What happened to which kind of thing, such as `job.requires_action`. */
  readonly type: `${string}.${string}`;
};

/**
 * The job that tells a notice. Insert it in the transaction of what it tells of: then it is told at least once,
 * whatever crashes. Its id is the notice's, by which receivers drop repeats.
 */
export function noticeJob(deps: Pick<Deps, "now" | "randomBytes">, notice: Notice): ClaimedJob {
  const job = newWaitingJob(deps, { kind: "notify", entityId: "", payload: notice }, deps.now());
  // An entity of its own, and no build: a slow receiver must hold up nothing else.
  return { ...job, entityId: job.id };
}

/** What is posted: the notice under its id, with times in ISO 8601. */
export function noticeBody(job: ClaimedJob): string {
  const { buildId, connectorId, jobId, dueAt, type, ...rest } = noticeOf(job);
  return JSON.stringify({
    id: job.id,
    type,
    at: new Date(job.createdAt).toISOString(),
    build: buildId,
    connector: connectorId,
    job: jobId,
    ...rest,
    dueAt: dueAt === undefined ? undefined : new Date(dueAt).toISOString(),
  });
}

/** The notice in a job that {@link noticeJob} made. */
export function noticeOf(job: ClaimedJob): z.infer<typeof noticeSchema> {
  return noticeSchema.parse(job.payload);
}
