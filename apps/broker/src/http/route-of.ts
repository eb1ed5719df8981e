import { matchedRoutes } from "hono/route";
import type { BrokerContext } from "./context.ts";

/** The route that answers, or would have, as the OpenAPI document writes it; `*` when there is none. */
export function routeOf(context: BrokerContext): string {
  const route = matchedRoutes(context).findLast(({ method }) => method !== "ALL");
  return route === undefined ? "*" : route.path.replace(/:(\w+)/g, "{$1}");
}
