import type { Connector } from "@keyloan/contract";
import { defineConnector } from "../kit/define-connector.ts";
import { createRateLimiter, type RateLimiter } from "../kit/rate-limiter.ts";
import { createIssuer, prepareOrgKey } from "./issuer.ts";
import { stripeOptionsSchema } from "./options.ts";
import { stripeSpec } from "./spec.ts";
import { validateOrgKey } from "./validate.ts";
import { validate } from "./validate-own.ts";

/** The connector around a limiter of its own. */
export function createStripe(limiter: RateLimiter): Connector {
  return defineConnector({
    spec: stripeSpec,
    options: stripeOptionsSchema,
    validateOrgKey,
    prepareOrgKey,
    validate,
    issuer: createIssuer(limiter),
  });
}

/** The org's Stripe test keys, lent to every build; below the test mode's 25 calls a second. */
export const stripe = createStripe(createRateLimiter({ provider: "stripe", perSecond: 18, burst: 5 }));
