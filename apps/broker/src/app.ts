import { BrokerError, limits } from "@keyloan/contract";
import { bodyLimit } from "hono/body-limit";
import { cookieNames } from "./http/cookies.ts";
import { handleError } from "./http/errors.ts";
import { createRateLimiter, rateLimit } from "./http/rate-limit.ts";
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
import { healthRoutes } from "./routes/health.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { leaseRoutes } from "./routes/leases.ts";
import { orgKeyRoutes } from "./routes/org-keys.ts";
import { personRoutes } from "./routes/person.ts";
import { reconcileRoutes } from "./routes/reconcile.ts";
import { rollbackRoutes } from "./routes/rollback.ts";
import { rotationRoutes } from "./routes/rotation.ts";
import { settingsRoutes } from "./routes/settings.ts";
import { settingsPageRoutes } from "./routes/settings-page.ts";
import { signingKeyRoutes } from "./routes/signing-keys.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { transferRoutes } from "./routes/transfers.ts";
import { visitRoutes } from "./routes/visits.ts";
import type { Services } from "./services.ts";

/** The broker's HTTP face. It listens nowhere: `main.ts` and the tests bring the server. */
export function createApp(services: Services): BrokerRouter {
  const { rateLimitPerSecond } = services.config;
  const byToken = createRateLimiter(rateLimitPerSecond);
  // Many builds may share one address, so an address may do more than one token.
  const byAddress = createRateLimiter(rateLimitPerSecond * 10);
  const app = createRouter();
  app.onError(handleError);
  app.use(requestScope(services), rateLimit(byAddress, "address"), requireJson);
  const limitBody = bodyLimit({ maxSize: limits.bodyBytesMax, onError: () => Promise.reject(tooLarge()) });
  // A GET has no body here; looking for one costs as much as the rest of a fast answer.
  app.use((context, next) => (context.req.method === "GET" ? next() : limitBody(context, next)));
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
    healthRoutes,
    handoffRoutes,
    personRoutes,
    visitRoutes,
    settingsRoutes,
    rollbackRoutes,
    transferRoutes,
  ]) {
    app.route("/", routes(services, byToken));
  }
  app.route("/", docsRoutes(app));
  app.route("/", settingsPageRoutes());
  return app;
}

function tooLarge(): BrokerError {
  return new BrokerError("payload_too_large", "the body is too large", {
    remedy: `Send at most ${limits.bodyBytesMax / 1024} kB.`,
  });
}
