import { createRoute, OpenAPIHono, type RouteConfig } from "@hono/zod-openapi";
import { errorEnvelopeSchema, errorStatuses } from "@keyloan/contract";
import type { Access } from "../auth/callers.ts";
import { invalidInput } from "../invalid-input.ts";
import { auditRequest } from "./audit-request.ts";
import { authenticate } from "./auth.ts";
import type { BrokerEnv } from "./context.ts";
import { limitBuild } from "./limit-callers.ts";
import type { RateLimiter } from "./rate-limit.ts";
import { authenticateSession } from "./session.ts";

export type BrokerRouter = OpenAPIHono<BrokerEnv>;

/** A router whose validation failures are 422 with the path and the reason, never the value. */
export function createRouter(): BrokerRouter {
  return new OpenAPIHono<BrokerEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalidInput(result.target, result.error.issues);
    },
  });
}

/** `session`: any visitor of the build's page; `person`: who has proven to be its person, or while nobody is that. */
export type RouteAccess = Access | "open" | "session" | "person";

const errorContent = { "application/json": { schema: errorEnvelopeSchema } };

function errorAnswers(statuses: readonly number[]) {
  return Object.fromEntries(
    statuses.map((status) => {
      const codes = Object.entries(errorStatuses).flatMap(([code, value]) =>
        value === status ? [code] : [],
      );
      return [status, { description: codes.join(", "), content: errorContent }];
    }),
  );
}

/**
 * A route with its access rule, in one place: the rule is enforced by its middleware and written into the
 * OpenAPI document, from which the authorization tests are made.
 */
export function defineRoute<Path extends string, Route extends Omit<RouteConfig, "path"> & { path: Path }>(
  limiter: RateLimiter,
  access: RouteAccess,
  route: Route,
) {
  const open = access === "open";
  const ofPage = access === "session" || access === "person";
  const failures = [
    ...(open && route.request?.body === undefined ? [] : [401, 403, 404, 409, 503]),
    ...(route.request?.body === undefined ? [] : [400, 413, 415, 502]),
    ...[422, 429, 500],
  ];
  const complete = {
    ...route,
    responses: { ...errorAnswers(failures), ...route.responses },
    security: open ? [] : [ofPage ? { session: [] } : { bearer: [] }],
    middleware: open
      ? []
      : [
          auditRequest(route.path),
          ofPage ? authenticateSession(access) : authenticate(access),
          limitBuild(limiter),
          ...[route.middleware ?? []].flat(),
        ],
    "x-keyloan-access": access,
  };
  // Holds because only documentation and middleware are added: what handlers are typed by stays as it is.
  return createRoute<Path, Route>(complete as unknown as Route);
}
