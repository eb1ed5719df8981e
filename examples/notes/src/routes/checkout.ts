import { Hono } from "hono";
import type { Deps } from "../app.ts";
import type { Price } from "../services/payments.ts";
import { readToken, signToken } from "../tokens.ts";

const quoteTtlSeconds = 15 * 60;

export function checkoutRoutes(deps: Pick<Deps, "readPrice" | "secrets" | "now">): Hono {
  const { readPrice, secrets, now } = deps;
  const app = new Hono();

  app.get("/price", async (context) => {
    const price = await readPrice();
    const checkoutToken = await signToken({
      secret: secrets.checkoutTokenSecret,
      purpose: "checkout",
      subject: JSON.stringify(price),
      ttlSeconds: quoteTtlSeconds,
      nowMs: now(),
    });
    return context.json({ price, checkoutToken }, 200, { "cache-control": "no-store" });
  });

  /** What the holder of the token was promised, even when the price has changed since. */
  app.get("/checkout/:token", async (context) => {
    const subject = await readToken(secrets.checkoutTokenSecret, "checkout", context.req.param("token"));
    if (subject === undefined) {
      const message = "This offer has ended. Open /price for a new one.";
      return context.json({ error: { code: "offer_ended", message } }, 401);
    }
    const price: Price = JSON.parse(subject);
    return context.json({ price }, 200, { "cache-control": "no-store" });
  });
  return app;
}
