import { BrokerError, newId } from "@keyloan/contract";
import type { MiddlewareHandler } from "hono";
import type { Deps } from "../deps.ts";
import type { BrokerEnv } from "./context.ts";

const clientRequestIdPattern = /^[A-Za-z0-9._-]{1,64}$/;

/** Gives every request its id, its deps, its line in the log and its measure. */
export function requestScope(deps: Deps): MiddlewareHandler<BrokerEnv> {
  return async (context, next) => {
    const started = performance.now();
    const given = context.req.header("x-request-id");
    const clientRequestId = given !== undefined && clientRequestIdPattern.test(given) ? given : undefined;
    const requestId = newId("request", deps.randomBytes);
    deps.auditWatch.begin(requestId, clientRequestId);
    context.set("deps", deps);
    context.set("requestId", requestId);
    context.set("clientRequestId", clientRequestId);
    try {
      await next();
    } finally {
      deps.auditWatch.end(requestId);
    }
    const { headers } = context.res;
    headers.set("x-request-id", requestId);
    headers.set("x-content-type-options", "nosniff");
    headers.set("referrer-policy", "no-referrer");
    headers.set("x-frame-options", "DENY");
    headers.set("cross-origin-resource-policy", "same-origin");
    if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
    if (!headers.has("content-security-policy")) {
      headers.set("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
    }
    const seconds = (performance.now() - started) / 1000;
    const route = context.req.routePath;
    const { status } = context.res;
    deps.metrics.requests.observe({ method: context.req.method, route, status: String(status) }, seconds);
    const line = {
      requestId,
      ...(clientRequestId === undefined ? {} : { clientRequestId }),
      method: context.req.method,
      route,
      status,
      ms: Math.round(seconds * 1e5) / 100,
    };
    if (context.var.isQuiet === true) deps.logger.debug(line, "answered");
    else if (status >= 500) deps.logger.error(line, "answered");
    else if (status >= 400 || !["GET", "HEAD"].includes(context.req.method))
      deps.logger.info(line, "answered");
    else deps.logger.debug(line, "answered");
  };
}

/** A body must say that it is JSON: a form or a text posted by a browser is refused before it is read. */
export const requireJson: MiddlewareHandler<BrokerEnv> = async (context, next) => {
  const { method } = context.req;
  if (method === "POST" || method === "PUT" || method === "PATCH") {
    const type = context.req.header("content-type");
    const empty = context.req.header("content-length") === "0" || context.req.raw.body === null;
    if (!(empty && type === undefined) && !/^application\/json\s*(?:;|$)/i.test(type ?? "")) {
      throw new BrokerError("unsupported_media_type", "the body must be JSON", {
        remedy: "Send the header `content-type: application/json`.",
      });
    }
  }
  await next();
};
