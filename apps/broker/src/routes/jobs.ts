import { jobEndpoints, secretValues } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import { bodyOf } from "../http/body-of.ts";
import type { CallerLimits } from "../http/caller-limits.ts";
import { byOf } from "../http/context.ts";
import { warnOfFormerState } from "../http/former-state.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";
import { cancelJob } from "../verbs/jobs/cancel-job.ts";
import { listJobs, showJob } from "../verbs/jobs/list-jobs.ts";
import { retryJob } from "../verbs/jobs/retry-job.ts";
import { supplyValues } from "../verbs/jobs/supply-values.ts";

export function jobRoutes(deps: Deps, limits: CallerLimits) {
  const { list, show, retry, cancel, supply } = jobEndpoints;
  return createRouter()
    .openapi(serveEndpoint(limits, list), async (context) => {
      warnOfFormerState(context);
      return context.json(await listJobs(deps, context.req.valid("query")), 200);
    })
    .openapi(serveEndpoint(limits, show), async (context) => {
      return context.json(await showJob(deps, context.req.valid("param").id), 200);
    })
    .openapi(serveEndpoint(limits, retry), async (context) => {
      return context.json(await retryJob(deps, byOf(context), context.req.valid("param").id), 200);
    })
    .openapi(serveEndpoint(limits, cancel), async (context) => {
      const { id } = context.req.valid("param");
      const { confirm } = bodyOf(context, cancel);
      return context.json(await cancelJob(deps, byOf(context), id, confirm), 200);
    })
    .openapi(serveEndpoint(limits, supply), async (context) => {
      const { id } = context.req.valid("param");
      const { values, force } = context.req.valid("json");
      const given = { values: secretValues(values), force };
      return context.json(await supplyValues(deps, byOf(context), id, given, context.req.raw.signal), 200);
    });
}
