import {
  cancelJobBodySchema,
  cancelledJobSchema,
  jobIdSchema,
  jobListQuerySchema,
  jobListSchema,
  jobSchema,
  secretValues,
  supplyValuesBodySchema,
} from "@keyloan/contract";
import * as z from "zod";
import type { Deps } from "../deps.ts";
import { byOf } from "../http/context.ts";
import { warnOfFormerState } from "../http/former-state.ts";
import { json } from "../http/json-content.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";
import { cancelJob } from "../verbs/jobs/cancel-job.ts";
import { listJobs, showJob } from "../verbs/jobs/list-jobs.ts";
import { retryJob } from "../verbs/jobs/retry-job.ts";
import { supplyValues } from "../verbs/jobs/supply-values.ts";

const tags = ["jobs"];
const access = { admin: true };
const params = z.object({ id: jobIdSchema });

export function jobRoutes(deps: Deps, limiter: RateLimiter) {
  const list = defineRoute(limiter, access, {
    method: "get",
    path: "/v1/jobs",
    tags,
    summary: "List the work that outlives requests, newest first",
    request: { query: jobListQuerySchema },
    responses: { 200: json("a page", jobListSchema) },
  });
  const show = defineRoute(limiter, access, {
    method: "get",
    path: "/v1/jobs/{id}",
    tags,
    summary: "Show a job: attempts, next run, what failed, and what a person must do by when",
    request: { params },
    responses: { 200: json("the job", jobSchema) },
  });
  const retry = defineRoute(limiter, access, {
    method: "post",
    path: "/v1/jobs/{id}/retry",
    tags,
    summary: "Start a job anew that failed, requires action or was cancelled",
    request: { params },
    responses: { 200: json("it waits to be run", jobSchema) },
  });
  const cancel = defineRoute(limiter, access, {
    method: "post",
    path: "/v1/jobs/{id}/cancel",
    tags,
    summary: "End a job that nobody wants any more",
    description:
      "An issue is ended with its lease, and the answer tells what the build lacks. A release needs `confirm`, the name of the resource that a person has removed by hand.",
    request: {
      params,
      body: { required: false, content: { "application/json": { schema: cancelJobBodySchema } } },
    },
    responses: { 200: json("cancelled", cancelledJobSchema) },
  });
  const supply = defineRoute(limiter, access, {
    method: "post",
    path: "/v1/jobs/{id}/values",
    tags,
    summary: "Give a build the values that a person made for it by hand",
    request: {
      params,
      body: { required: true, content: { "application/json": { schema: supplyValuesBodySchema } } },
    },
    responses: { 200: json("checked and sealed; the build goes on", jobSchema) },
  });
  return createRouter()
    .openapi(list, async (context) => {
      warnOfFormerState(context);
      return context.json(await listJobs(deps, context.req.valid("query")), 200);
    })
    .openapi(show, async (context) => context.json(await showJob(deps, context.req.valid("param").id), 200))
    .openapi(retry, async (context) => {
      return context.json(await retryJob(deps, byOf(context), context.req.valid("param").id), 200);
    })
    .openapi(cancel, async (context) => {
      const { id } = context.req.valid("param");
      const { confirm } = context.req.valid("json") ?? {};
      return context.json(await cancelJob(deps, byOf(context), id, confirm), 200);
    })
    .openapi(supply, async (context) => {
      const { id } = context.req.valid("param");
      const { values, force } = context.req.valid("json");
      const given = { values: secretValues(values), force };
      return context.json(await supplyValues(deps, byOf(context), id, given, context.req.raw.signal), 200);
    });
}
