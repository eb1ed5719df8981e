import {
  type ConnectorContext,
  type Issuer,
  idSuffix,
  type OrgCredential,
  type PlannedLease,
  ProviderError,
  type SecretValues,
  secretValues,
} from "@keyloan/contract";
import { requireField } from "../kit/define-connector.ts";
import type { RateLimiter } from "../kit/rate-limiter.ts";
import { archiveProduct, ensurePrice, ensureProduct } from "./catalog.ts";
import { openStripe } from "./client.ts";
import { listProducts, productIdOf } from "./list-products.ts";
import { stripeOptionsSchema } from "./options.ts";

const demoProductId = "keyloan_demo";

/** Finds or makes what all builds share: one demo product with one price. */
export async function prepareOrgKey(
  context: ConnectorContext,
  fields: SecretValues,
): Promise<{ productId: string; priceId: string }> {
  const stripe = await openStripe(context, requireField(fields, "secretKey"));
  await ensureProduct(stripe, { id: demoProductId, name: "Keyloan demo", metadata: {} }, {});
  const wanted = {
    lookupKey: `${demoProductId}_price`,
    currency: "usd",
    unitAmount: 1000,
    metadata: {},
  };
  return { productId: demoProductId, priceId: await ensurePrice(stripe, demoProductId, wanted, {}) };
}

/**
 * Lends the org's test keys. Without listed prices nothing is asked of Stripe; listed prices are made for
 * the build, one call after the other.
 * @param limiter keeps all builds together under the test mode's limit of 25 calls a second
 */
export function createIssuer(limiter: RateLimiter): Issuer {
  return {
    plan: (request) =>
      stripeOptionsSchema.parse(request.options).prices.length === 0
        ? {}
        : { productId: productIdOf(idSuffix(request.leaseId)) },
    issue: async (context, org, lease) => {
      const prices = await issuePrices(context, org, lease, limiter);
      const first = Object.values(prices)[0] ?? demoPriceId(org);
      return secretValues({
        STRIPE_SECRET_KEY: requireField(org.fields, "secretKey"),
        STRIPE_PUBLISHABLE_KEY: requireField(org.fields, "publishableKey"),
        STRIPE_PRICE_ID: first,
        ...prices,
        ...(context.baseUrl === undefined ? {} : { STRIPE_API_URL: context.baseUrl }),
      });
    },
    // The keys are shared: what is lent can be listed and ended, and never rotated for one build.
    list: async function* (context, org) {
      yield* listProducts(await openStripe(context, requireField(org.fields, "secretKey"), limiter));
    },
    revoke: async (context, org, { handle }) => {
      if (handle.productId === undefined) return;
      const stripe = await openStripe(context, requireField(org.fields, "secretKey"), limiter);
      await archiveProduct(stripe, handle.productId);
    },
  };
}

async function issuePrices(
  context: ConnectorContext,
  org: OrgCredential,
  lease: PlannedLease,
  limiter: RateLimiter,
): Promise<Record<string, string>> {
  const { prices } = stripeOptionsSchema.parse(lease.options);
  const { productId } = lease.handle;
  if (prices.length === 0 || productId === undefined) return {};
  const stripe = await openStripe(context, requireField(org.fields, "secretKey"), limiter);
  const metadata = { build_id: lease.buildId, lease_id: lease.leaseId };
  const idempotencyKey = `keyloan-${lease.leaseId}`;
  await ensureProduct(
    stripe,
    { id: productId, name: `Keyloan ${lease.buildId}`, metadata },
    { idempotencyKey: `${idempotencyKey}-product` },
  );
  const ids: Record<string, string> = {};
  for (const { name, currency, unitAmount, interval } of prices) {
    const wanted = {
      lookupKey: `${productId}_${name.toLowerCase()}`,
      currency,
      unitAmount,
      metadata,
      ...(interval === undefined ? {} : { interval }),
    };
    ids[`STRIPE_PRICE_ID_${name}`] = await ensurePrice(stripe, productId, wanted, {
      idempotencyKey: `${idempotencyKey}-price-${name}`,
    });
  }
  return ids;
}

function demoPriceId(org: OrgCredential): string {
  const { priceId } = org.facts;
  if (priceId !== undefined) return priceId;
  throw new ProviderError("stripe", "not_found", "the org key has no demo price", {
    remedy: "Set the Stripe org key again with `keyloan org-keys set stripe`: that makes the demo price.",
  });
}
