import Stripe from "stripe";
import type { Env } from "../env.ts";
import { ServiceError } from "../failure.ts";

const callTimeoutMs = 10_000;

export type Price = {
  readonly id: string;
  readonly currency: string;
  /** In the currency's smallest unit; null when the price has tiers. */
  readonly unitAmount: number | null;
  readonly liveMode: boolean;
};

/**
 * Gives a function that reads the one price the app sells at.
 * @throws ServiceError when the answer is not that price: the client library also resolves on answers that
 *   are no price at all
 */
export function createPriceReader(settings: Env["stripe"]): () => Promise<Price> {
  const stripe = new Stripe(settings.secretKey, {
    timeout: callTimeoutMs,
    maxNetworkRetries: 1,
    telemetry: false,
    ...(settings.apiUrl === undefined ? {} : addressOf(settings.apiUrl)),
  });
  return async () => {
    const price = await stripe.prices.retrieve(settings.priceId);
    const isPrice =
      price.lastResponse?.statusCode === 200 &&
      price.object === "price" &&
      price.id === settings.priceId &&
      typeof price.currency === "string";
    if (!isPrice) throw new ServiceError("answered something unexpected");
    if (!price.active) throw new ServiceError("has archived the price of STRIPE_PRICE_ID");
    return {
      id: price.id,
      currency: price.currency,
      unitAmount: price.unit_amount,
      liveMode: price.livemode,
    };
  };
}

function addressOf(apiUrl: string) {
  const { protocol, hostname, port } = new URL(apiUrl);
  const isPlain = protocol === "http:";
  return {
    protocol: isPlain ? ("http" as const) : ("https" as const),
    host: hostname,
    port: port === "" ? (isPlain ? 80 : 443) : Number(port),
  };
}
