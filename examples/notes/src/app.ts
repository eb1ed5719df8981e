import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { secureHeaders } from "hono/secure-headers";
import type { Database } from "./database/open-database.ts";
import type { Env } from "./env.ts";
import { failureReason } from "./failure.ts";
import { type Check, runChecks } from "./health.ts";
import { attachmentRoutes } from "./routes/attachments.ts";
import { checkoutRoutes } from "./routes/checkout.ts";
import { noteRoutes } from "./routes/notes.ts";
import type { Price } from "./services/payments.ts";
import type { Storage } from "./services/storage.ts";
import { styleSheet } from "./views/page.ts";

/** All that the routes use of the outside world. */
export type Deps = {
  readonly secrets: Pick<Env, "jwtSecret" | "checkoutTokenSecret">;
  readonly db: Database;
  readonly storage: Storage;
  readonly readPrice: () => Promise<Price>;
  readonly checks: Readonly<Record<string, Check>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: (line: string) => void;
};

export function createApp(deps: Deps): Hono {
  const app = new Hono();
  app.use(
    secureHeaders({
      contentSecurityPolicy: { defaultSrc: ["'none'"], styleSrc: ["'self'"], formAction: ["'self'"] },
      crossOriginResourcePolicy: "same-origin",
    }),
  );
  app.route("/", noteRoutes(deps));
  app.route("/", attachmentRoutes(deps));
  app.route("/", checkoutRoutes(deps));
  app.get("/style.css", (context) =>
    context.body(styleSheet, 200, { "content-type": "text/css; charset=utf-8" }),
  );
  app.get("/health", async (context) => {
    const health = await runChecks(deps.checks);
    return context.json(health, health.ok ? 200 : 503, { "cache-control": "no-store" });
  });
  app.notFound((context) =>
    context.json({ error: { code: "not_found", message: "There is nothing here." } }, 404),
  );
  app.onError((error, context) => {
    if (error instanceof HTTPException) return error.getResponse();
    const reason = failureReason(error);
    deps.log(`${context.req.method} ${context.req.routePath} failed: a service ${reason}`);
    const message = "A service this needs did not work. Try again; /health tells which one.";
    return context.json({ error: { code: "service_failed", message } }, 502);
  });
  return app;
}
