import { BrokerError, nestsDeeperThan } from "@keyloan/contract";
import type { MiddlewareHandler } from "hono";
import type { BrokerContext, BrokerEnv } from "./context.ts";

/** How long a body may take. */
export const bodyTimeoutMs = 15_000;

/**
 * Waits for the whole body before anybody asks who may do what: a right that was there when the headers came may be
 * gone when the last byte does. What reads the body later gets this text.
 */
export function readBody(timeoutMs = bodyTimeoutMs): MiddlewareHandler<BrokerEnv> {
  return async (context, next) => {
    if (context.req.method !== "GET" && context.req.method !== "HEAD") await bodyInTime(context, timeoutMs);
    await next();
  };
}

/** @throws BrokerError `malformed_request` when the body does not arrive in time, or is nested too deep */
export async function bodyInTime(context: BrokerContext, timeoutMs: number): Promise<string> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(tooLate()), timeoutMs);
  try {
    const text = await Promise.race([context.req.text(), late.promise]);
    if (nestsDeeperThan(text, depthMax)) throw tooDeep();
    return text;
  } finally {
    clearTimeout(timer);
  }
}

const depthMax = 32;

function tooDeep(): BrokerError {
  return new BrokerError("malformed_request", "the body is nested too deeply", {
    remedy: "Send what the API describes: no call has lists and objects nested more than a few levels deep.",
  });
}

function tooLate(): BrokerError {
  return new BrokerError("malformed_request", "the body did not arrive in time", {
    remedy: "Send the whole request at once.",
  });
}
