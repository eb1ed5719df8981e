import {
  buildIdSchema,
  changeTransferBodySchema,
  receiptListSchema,
  startTransferBodySchema,
  transferListSchema,
} from "@keyloan/contract";
import type { MiddlewareHandler } from "hono";
import * as z from "zod";
import type { Deps } from "../deps.ts";
import { type BrokerEnv, byOf } from "../http/context.ts";
import { json } from "../http/json-content.ts";
import { limitWork } from "../http/limit-callers.ts";
import { createRateLimiter, type RateLimiter } from "../http/rate-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";
import { cancelTransfers } from "../verbs/transfers/cancel-transfer.ts";
import { listReceipts, listTransfers } from "../verbs/transfers/list-transfers.ts";
import { resumeTransfers } from "../verbs/transfers/resume-transfer.ts";
import { startTransfer } from "../verbs/transfers/start-transfer.ts";

const tags = ["transfers"];
const params = z.object({ id: buildIdSchema });
const receiptQuery = z.strictObject({ connector: z.string().max(64).optional() });
const optional = <Schema extends z.ZodType>(schema: Schema) => ({
  required: false,
  content: { "application/json": { schema } },
});
const words = {
  start: "Move what the app stored with lent keys into the user's own accounts",
  show: "What can be moved, and how far it is",
  cancel: "Stop moving and undo what was begun: first the app may write again",
  resume: "Go on with transfers that failed or were cancelled",
  receipt: "Signed receipts of what was moved and proven",
};
const begun = { 202: json("begun; ask again for its progress", transferListSchema) };
const shown = { 200: json("how far it is", transferListSchema) };
const ending = { 202: json("being undone", transferListSchema) };
const receipts = { 200: json("newest first", receiptListSchema) };

/** Moving data, from the settings page and for whoever made the build: the same verbs behind two doors. */
export function transferRoutes(deps: Deps, limiter: RateLimiter) {
  // Beginning looks into the user's account each time.
  const starts = createRateLimiter(deps.config.rateLimitPerSecond === 0 ? 0 : 0.5, 20);
  const middleware = [limitWork(starts)];
  const page = pageRoutes(limiter, middleware);
  const own = buildRoutes(limiter, middleware);
  return createRouter()
    .openapi(page.show, async (context) =>
      context.json(await listTransfers(deps, context.var.session.buildId), 200),
    )
    .openapi(page.start, async (context) => {
      const { session } = context.var;
      const input = startTransferBodySchema.parse(context.req.valid("json") ?? {});
      return context.json(
        await startTransfer(deps, byOf(context), session.buildId, input, context.req.raw.signal),
        202,
      );
    })
    .openapi(page.cancel, async (context) => {
      const { session } = context.var;
      const { connectors } = changeTransferBodySchema.parse(context.req.valid("json") ?? {});
      return context.json(await cancelTransfers(deps, byOf(context), session.buildId, connectors), 202);
    })
    .openapi(page.resume, async (context) => {
      const { session } = context.var;
      const input = changeTransferBodySchema.parse(context.req.valid("json") ?? {});
      return context.json(
        await resumeTransfers(deps, byOf(context), session.buildId, input, context.req.raw.signal),
        202,
      );
    })
    .openapi(page.receipt, async (context) => {
      const { actor, session } = context.var;
      const { connector } = context.req.valid("query");
      return context.json(await listReceipts(deps, actor, session.buildId, connector), 200);
    })
    .openapi(own.show, async (context) =>
      context.json(await listTransfers(deps, context.req.valid("param").id), 200),
    )
    .openapi(own.start, async (context) => {
      const input = startTransferBodySchema.parse(context.req.valid("json") ?? {});
      const { id } = context.req.valid("param");
      return context.json(await startTransfer(deps, byOf(context), id, input, context.req.raw.signal), 202);
    })
    .openapi(own.cancel, async (context) => {
      const { connectors } = changeTransferBodySchema.parse(context.req.valid("json") ?? {});
      const { id } = context.req.valid("param");
      return context.json(await cancelTransfers(deps, byOf(context), id, connectors), 202);
    })
    .openapi(own.resume, async (context) => {
      const input = changeTransferBodySchema.parse(context.req.valid("json") ?? {});
      const { id } = context.req.valid("param");
      return context.json(await resumeTransfers(deps, byOf(context), id, input, context.req.raw.signal), 202);
    })
    .openapi(own.receipt, async (context) => {
      const { id } = context.req.valid("param");
      const { connector } = context.req.valid("query");
      return context.json(await listReceipts(deps, context.var.actor, id, connector), 200);
    });
}

function pageRoutes(limiter: RateLimiter, middleware: MiddlewareHandler<BrokerEnv>[]) {
  const path = "/v1/settings/transfer";
  return {
    show: defineRoute(limiter, "session", {
      method: "get",
      path,
      tags,
      summary: words.show,
      responses: shown,
    }),
    start: defineRoute(limiter, "person", {
      method: "post",
      path,
      tags,
      summary: words.start,
      middleware,
      request: { body: optional(startTransferBodySchema) },
      responses: begun,
    }),
    cancel: defineRoute(limiter, "person", {
      method: "post",
      path: `${path}/cancel`,
      tags,
      summary: words.cancel,
      request: { body: optional(changeTransferBodySchema) },
      responses: ending,
    }),
    resume: defineRoute(limiter, "person", {
      method: "post",
      path: `${path}/resume`,
      tags,
      summary: words.resume,
      middleware,
      request: { body: optional(changeTransferBodySchema) },
      responses: begun,
    }),
    receipt: defineRoute(limiter, "person", {
      method: "get",
      path: `${path}/receipt`,
      tags,
      summary: words.receipt,
      request: { query: receiptQuery },
      responses: receipts,
    }),
  };
}

function buildRoutes(limiter: RateLimiter, middleware: MiddlewareHandler<BrokerEnv>[]) {
  const path = "/v1/builds/{id}/transfers";
  const write = { admin: true, platform: "builds:write" } as const;
  const read = { admin: true, platform: "builds:read" } as const;
  return {
    show: defineRoute(limiter, read, {
      method: "get",
      path,
      tags,
      summary: words.show,
      request: { params },
      responses: shown,
    }),
    start: defineRoute(limiter, write, {
      method: "post",
      path,
      tags,
      summary: words.start,
      middleware,
      request: { params, body: optional(startTransferBodySchema) },
      responses: begun,
    }),
    cancel: defineRoute(limiter, write, {
      method: "post",
      path: `${path}/cancel`,
      tags,
      summary: words.cancel,
      request: { params, body: optional(changeTransferBodySchema) },
      responses: ending,
    }),
    resume: defineRoute(limiter, write, {
      method: "post",
      path: `${path}/resume`,
      tags,
      summary: words.resume,
      middleware,
      request: { params, body: optional(changeTransferBodySchema) },
      responses: begun,
    }),
    receipt: defineRoute(limiter, read, {
      method: "get",
      path: `${path}/receipts`,
      tags,
      summary: words.receipt,
      request: { params, query: receiptQuery },
      responses: receipts,
    }),
  };
}
