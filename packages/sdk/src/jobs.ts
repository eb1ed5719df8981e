import type { CancelJobBody, CancelledJob, JobList, JobView, SupplyValuesBody } from "@keyloan/contract";
import { jobRoutes } from "@keyloan/contract/calls";
import { ask, type Caller } from "./call.ts";
import { eachOfPages, type PageQuery } from "./pages.ts";

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

export function jobsApi(caller: Caller): JobsApi {
  const list = (query: JobQuery = {}) => ask(caller, jobRoutes.list, { query });
  return {
    list,
    listAll: (query = {}) => eachOfPages(list, ({ jobs }) => jobs, query),
    get: (id) => ask(caller, jobRoutes.show, { params: { id } }),
    retry: (id) => ask(caller, jobRoutes.retry, { params: { id } }),
    cancel: (id, body = {}) => ask(caller, jobRoutes.cancel, { params: { id }, body }),
    supply: (id, body) => ask(caller, jobRoutes.supply, { params: { id }, body }),
  };
}
