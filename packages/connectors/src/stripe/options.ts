import * as z from "zod";

const priceSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_]{0,39}$/, "letters, digits and underscores, starting with a letter")
    .toUpperCase()
    .meta({ description: "the price's id is given as STRIPE_PRICE_ID_<NAME>" }),
  currency: z
    .string()
    .regex(/^[A-Za-z]{3}$/, "a currency of three letters")
    .toLowerCase(),
  unitAmount: z
    .number()
    .int()
    .min(0)
    .max(99_999_999)
    .meta({ description: "in the currency's smallest unit" }),
  interval: z.enum(["day", "week", "month", "year"]).optional().meta({ description: "absent: paid once" }),
});

/** What a build request may ask of Stripe: prices of its own. */
export const stripeOptionsSchema = z
  .strictObject({
    prices: z
      .array(priceSchema)
      .max(20)
      .refine(
        (prices) => new Set(prices.map(({ name }) => name)).size === prices.length,
        "a name is used twice",
      )
      .readonly()
      .default([]),
  })
  .prefault({});

export type StripePrice = z.output<typeof priceSchema>;
export type StripeOptions = z.output<typeof stripeOptionsSchema>;
