import { BrokerError, limits } from "@keyloan/contract";
import { bodyLimit } from "hono/body-limit";
import type { Deps } from "./deps.ts";
import { createCallerLimits } from "./http/caller-limits.ts";
import { trustedProxies } from "./http/client-address.ts";
import { cookieNames } from "./http/cookies.ts";
import { handleError } from "./http/errors.ts";
import { limitCallers } from "./http/limit-callers.ts";
import { createRateLimiter } from "./http/rate-limit.ts";
import { readBody } from "./http/read-body.ts";
import { requestScope, requireJson } from "./http/request.ts";
import { type BrokerRouter, createRouter } from "./http/router.ts";
import { answerUnknown } from "./http/unknown-route.ts";
import { auditRoutes } from "./routes/audit.ts";
import { buildRoutes } from "./routes/builds.ts";
import { catalogRoutes } from "./routes/catalog.ts";
import { databaseRoutes } from "./routes/databases.ts";
import { docsRoutes } from "./routes/docs.ts";
import { envRoutes } from "./routes/env.ts";
import { handoffRoutes } from "./routes/handoff.ts";
import { healthRoutes, operatorRoutes } from "./routes/health.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { leaseRoutes } from "./routes/leases.ts";
import { orgKeyRoutes } from "./routes/org-keys.ts";
import { personRoutes } from "./routes/person.ts";
import { reconcileRoutes } from "./routes/reconcile.ts";
import { rollbackRoutes } from "./routes/rollback.ts";
import { rotationRoutes } from "./routes/rotation.ts";
import { settingsRoutes } from "./routes/settings.ts";
import { missingPageRoutes, settingsPageRoutes } from "./routes/settings-page.ts";
import { signingKeyRoutes } from "./routes/signing-keys.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { transferRoutes } from "./routes/transfers.ts";
import { visitRoutes } from "./routes/visits.ts";

/** The broker's HTTP face. It listens nowhere: `main.ts` and the tests bring the server. */
export function createApp(deps: Deps): BrokerRouter {
  const { rateLimitPerSecond, trustedProxies: networks } = deps.config;
  const callers = createCallerLimits(deps.config);
  const strangers = createRateLimiter(rateLimitPerSecond);
  const app = createRouter();
  app.onError(handleError);
  app.use(requestScope(deps));
  // Mounted before the limits: whoever watches the broker or opens its page is not held up by a stranger.
  for (const routes of [healthRoutes(deps, callers), settingsPageRoutes(), docsRoutes(app)]) {
    app.route("/", routes);
  }
  app.use(limitCallers(callers.requests, strangers, trustedProxies(networks)), requireJson);
  const limitBody = bodyLimit({ maxSize: limits.bodyBytesMax, onError: () => Promise.reject(tooLarge()) });
  // A GET has no body here; looking for one costs as much as the rest of a fast answer.
  app.use((context, next) => (context.req.method === "GET" ? next() : limitBody(context, next)));
  app.use(readBody());
  app.notFound(answerUnknown(app));
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "`klo_admin_…`, `klo_api_…` or `klo_bld_…`",
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "session", {
    type: "apiKey",
    in: "cookie",
    name: cookieNames.session,
    description:
      "a cookie of the settings page for each build, named in the header `x-keyloan-build`; writes also need the header `x-keyloan-session: 1`",
  });
  for (const routes of [
    envRoutes,
    buildRoutes,
    databaseRoutes,
    leaseRoutes,
    orgKeyRoutes,
    rotationRoutes,
    reconcileRoutes,
    jobRoutes,
    tokenRoutes,
    catalogRoutes,
    auditRoutes,
    signingKeyRoutes,
    operatorRoutes,
    handoffRoutes,
    personRoutes,
    visitRoutes,
    settingsRoutes,
    rollbackRoutes,
    transferRoutes,
  ]) {
    app.route("/", routes(deps, callers));
  }
  app.route("/", missingPageRoutes());
  return app;
}

function tooLarge(): BrokerError {
  return new BrokerError("payload_too_large", "the body is too large", {
    remedy: `Send at most ${limits.bodyBytesMax / 1024} kB.`,
  });
}
