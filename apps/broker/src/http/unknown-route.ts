import { BrokerError } from "@keyloan/contract";
import type { NotFoundHandler } from "hono";
import type { BrokerEnv } from "./context.ts";
import type { BrokerRouter } from "./router.ts";

/** 405 with the methods there are for a path of ours, 404 for every other path. */
export function answerUnknown(app: BrokerRouter): NotFoundHandler<BrokerEnv> {
  return (context) => {
    const methods = methodsOf(app, context.req.path);
    if (methods.length === 0) {
      throw new BrokerError("not_found", "there is nothing at this address", {
        remedy: "`/docs` lists every route.",
      });
    }
    context.header("Allow", methods.join(", "));
    throw new BrokerError("method_not_allowed", `${context.req.path} does not support this method`, {
      remedy: `Use ${methods.join(" or ")}.`,
    });
  };
}

function methodsOf(app: BrokerRouter, path: string): string[] {
  const found = app.routes.filter((route) => route.method !== "ALL" && matches(route.path, path));
  return [...new Set(found.map(({ method }) => method))].sort();
}

function matches(pattern: string, path: string): boolean {
  const parts = pattern.split("/");
  const given = path.split("/");
  return (
    parts.length === given.length &&
    parts.every((part, index) => part.startsWith(":") || part === given[index])
  );
}
