import type { CancelJobBody, CancelledJob, JobList, JobView, SupplyValuesBody } from "@keyloan/contract";
import { pathSegment } from "./address.ts";
import { bodyOf } from "./answer.ts";
import type { Caller } from "./call.ts";
import { eachOfPages, type PageQuery } from "./pages.ts";

// The broker asks the provider before it answers.
const providerTimeMs = 30_000;

export type JobQuery = PageQuery & {
  readonly state?: string | undefined;
  readonly kind?: string | undefined;
  readonly buildId?: string | undefined;
  readonly connector?: string | undefined;
};

export type JobsApi = {
  /** One page of jobs, newest first. */
  readonly list: (query?: JobQuery) => Promise<JobList>;
  readonly listAll: (query?: JobQuery) => AsyncGenerator<JobView, void, void>;
  /** A job with what failed, and what a person must do by when. */
  readonly get: (jobId: string) => Promise<JobView>;
  /** Starts a job anew that failed, requires action or was cancelled. */
  readonly retry: (jobId: string) => Promise<JobView>;
  /** Ends a job; a release only with the name of the resource that a person has removed. */
  readonly cancel: (jobId: string, body?: CancelJobBody) => Promise<CancelledJob>;
  /** Gives a build the values that a person made for it by hand; they are checked first. */
  readonly supply: (jobId: string, body: SupplyValuesBody) => Promise<JobView>;
};

export function jobsApi({ base, call }: Caller): JobsApi {
  const path = (jobId: string) => `/v1/jobs/${pathSegment(jobId, "the job id")}`;
  const post = (jobId: string, action: string, body: object) =>
    call({
      method: "POST",
      path: `${path(jobId)}/${action}`,
      body,
      extraTimeMs: providerTimeMs,
      expect: "json",
    });
  const jobOf = async (answer: ReturnType<typeof call>) =>
    bodyOf<JobView>(base, await answer, ["id", "kind", "state"]);
  const list = async (query: JobQuery = {}) =>
    bodyOf<JobList>(base, await call({ method: "GET", path: "/v1/jobs", query, expect: "json" }), ["jobs"]);
  return {
    list,
    listAll: (query = {}) =>
      eachOfPages(
        (cursor) => list({ ...query, cursor }),
        (page) => page.jobs,
        query.cursor,
      ),
    get: (jobId) => jobOf(call({ method: "GET", path: path(jobId), expect: "json" })),
    retry: (jobId) => jobOf(post(jobId, "retry", {})),
    cancel: async (jobId, body = {}) =>
      bodyOf<CancelledJob>(base, await post(jobId, "cancel", body), ["job"]),
    supply: (jobId, body) => jobOf(post(jobId, "values", body)),
  };
}
