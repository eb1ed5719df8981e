import * as z from "zod";
import {
  cancelJobBodySchema,
  cancelledJobSchema,
  jobIdSchema,
  jobListQuerySchema,
  jobListSchema,
  jobSchema,
  supplyValuesBodySchema,
} from "../api/jobs.ts";
import { adminOnly, answer, endpoints } from "./endpoint.ts";
import { jobRoutes } from "./routes.ts";

const params = z.object({ id: jobIdSchema });

export const jobEndpoints = endpoints("jobs", jobRoutes, {
  list: {
    access: adminOnly,
    summary: "List the work that outlives requests, newest first",
    query: jobListQuerySchema,
    answers: { 200: answer("a page", jobListSchema) },
  },
  show: {
    access: adminOnly,
    summary: "Show a job: attempts, next run, what failed, and what a person must do and by when",
    params,
    answers: { 200: answer("the job", jobSchema) },
  },
  retry: {
    access: adminOnly,
    summary: "Restart a job that failed, requires action or was cancelled",
    params,
    answers: { 200: answer("it is waiting to run", jobSchema) },
  },
  cancel: {
    access: adminOnly,
    summary: "End a job that is no longer wanted",
    description:
      "An issue job ends with its lease, and the answer lists what the build lacks. A release job needs `confirm`, the name of the resource that a person has removed by hand.",
    params,
    body: cancelJobBodySchema,
    example: { confirm: "kl-todo-app-3k9v0a5m2c7d" },
    isBodyOptional: true,
    answers: { 200: answer("cancelled", cancelledJobSchema) },
  },
  supply: {
    access: adminOnly,
    summary: "Give a build the values that a person made for it by hand",
    params,
    body: supplyValuesBodySchema,
    example: { values: { STRIPE_WEBHOOK_SECRET: "whsec_made_by_hand" } },
    answers: { 200: answer("checked and sealed; the build continues", jobSchema) },
  },
});
