import { OpenAPIHono } from "@hono/zod-openapi";
import { invalidInput } from "../invalid-input.ts";
import type { BrokerEnv } from "./context.ts";

export type BrokerRouter = OpenAPIHono<BrokerEnv>;

/** A router whose validation failures are 422 with the path and the reason, never the value. */
export function createRouter(): BrokerRouter {
  return new OpenAPIHono<BrokerEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalidInput(result.target, result.error.issues);
    },
  });
}
