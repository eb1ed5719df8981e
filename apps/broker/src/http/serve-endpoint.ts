import type { Endpoint } from "@keyloan/contract";
import type { MiddlewareHandler } from "hono";
import type * as z from "zod";
import type { BrokerEnv } from "./context.ts";
import type { RateLimiter } from "./rate-limit.ts";
import { defineRoute } from "./router.ts";

type MethodOf<E extends Endpoint> = E["route"] extends `${infer Method} ${string}` ? Lowercase<Method> : never;
type PathOf<E extends Endpoint> = E["route"] extends `${string} ${infer Path}` ? Path : never;

type JsonContent<Schema extends z.ZodType> = { content: { "application/json": { schema: Schema } } };
type ParamsOf<E> = E extends { readonly params: infer Params extends z.ZodObject } ? { params: Params } : unknown;
type QueryOf<E> = E extends { readonly query: infer Query extends z.ZodObject } ? { query: Query } : unknown;
type BodyOf<E extends Endpoint> = E extends { readonly body: infer Body extends z.ZodType }
  ? { body: JsonContent<Body> & { required: E extends { readonly isBodyOptional: true } ? false : true } }
  : unknown;

/** An endpoint as the router's library describes it: handlers are typed by this. */
type RouteOf<E extends Endpoint> = {
  method: MethodOf<E>;
  path: PathOf<E>;
  request: ParamsOf<E> & QueryOf<E> & BodyOf<E>;
  responses: {
    [Status in keyof E["answers"]]: { description: string } & (E["answers"][Status] extends {
      readonly schema: infer Schema extends z.ZodType;
    }
      ? JsonContent<Schema>
      : unknown);
  };
};

/** The route of an endpoint, with its access rule in front. Every word of it stands in the contract. */
export function serveEndpoint<E extends Endpoint>(
  limiter: RateLimiter,
  endpoint: E,
  middleware: readonly MiddlewareHandler<BrokerEnv>[] = [],
): RouteOf<E> {
  const { route, access, tag, summary, description, params, query, body, isBodyOptional, answers } = endpoint;
  const [method = "", path = ""] = route.split(" ");
  const content = body === undefined ? undefined : { "application/json": { schema: body } };
  const made = defineRoute(limiter, access, {
    method: method.toLowerCase() as "get",
    path,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(middleware.length === 0 ? {} : { middleware: [...middleware] }),
    request: {
      ...(params === undefined ? {} : { params }),
      ...(query === undefined ? {} : { query }),
      ...(content === undefined ? {} : { body: { required: isBodyOptional !== true, content } }),
    },
    responses: Object.fromEntries(
      Object.entries(answers).map(([status, { description: what, schema }]) => [
        status,
        { description: what, ...(schema === undefined ? {} : { content: { "application/json": { schema } } }) },
      ]),
    ),
  });
  // Holds because all of it was taken from the endpoint that the type is made of.
  return made as unknown as RouteOf<E>;
}
