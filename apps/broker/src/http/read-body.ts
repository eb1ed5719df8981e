import { BrokerError } from "@keyloan/contract";
import type { MiddlewareHandler } from "hono";
import type { BrokerEnv } from "./context.ts";

const bodyTimeoutMs = 15_000;

/**
 * Waits for the whole body before anybody asks who may do what: a right that was there when the headers came may be
 * gone when the last byte does. What reads the body later gets this text.
 */
export function readBody(timeoutMs = bodyTimeoutMs): MiddlewareHandler<BrokerEnv> {
  return async (context, next) => {
    if (context.req.method !== "GET" && context.req.method !== "HEAD") {
      const late = Promise.withResolvers<never>();
      const timer = setTimeout(() => late.reject(tooLate()), timeoutMs);
      try {
        await Promise.race([context.req.text(), late.promise]);
      } finally {
        clearTimeout(timer);
      }
    }
    await next();
  };
}

function tooLate(): BrokerError {
  return new BrokerError("malformed_request", "the body did not arrive in time", {
    remedy: "Send the whole request at once.",
  });
}
