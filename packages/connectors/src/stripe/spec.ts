import type { ConnectorSpec, FieldSpec } from "@keyloan/contract";

export const keysPage = "https://dashboard.stripe.com/test/apikeys";

const secretKey = {
  label: "Secret or restricted key",
  helpUrl: keysPage,
  secret: true,
  pattern: "^(?:sk|rk)_(?:test|live)_[A-Za-z0-9]{10,250}$",
  example: "rk_test_…",
} satisfies Omit<FieldSpec, "name">;

const publishableKey = {
  label: "Publishable key",
  helpUrl: keysPage,
  secret: false,
  pattern: "^pk_(?:test|live)_[A-Za-z0-9]{10,250}$",
  example: "pk_test_…",
} satisfies Omit<FieldSpec, "name">;

const priceId = {
  secret: false,
  exposure: "server",
  pattern: "^[A-Za-z0-9_]{1,255}$",
  optional: true,
} as const;

export const stripeSpec: ConnectorSpec = {
  id: "stripe",
  label: "Stripe",
  category: "payments",
  summary: "Payments in test mode: cards are not charged.",
  grade: "E",
  revocation:
    "The build's own products and prices are archived; the test keys are shared, and only rolling them in the dashboard ends them.",
  orgFields: [
    {
      name: "secretKey",
      ...secretKey,
      help: "A restricted key of test mode (rk_test_) with write access to products and prices; sk_test_ works too.",
    },
    {
      name: "publishableKey",
      ...publishableKey,
      help: "The publishable key of the same account in test mode: it starts with pk_test_.",
    },
  ],
  env: [
    {
      name: "STRIPE_SECRET_KEY",
      ...secretKey,
      exposure: "server",
      ifUnset: "The server cannot start a payment.",
    },
    {
      name: "STRIPE_PUBLISHABLE_KEY",
      ...publishableKey,
      exposure: "browser",
      ifUnset: "Payment forms do not load.",
    },
    { name: "STRIPE_PRICE_ID", label: "Price", ...priceId, ifUnset: "The checkout has nothing to sell." },
    {
      name: "STRIPE_PRICE_ID_",
      label: "Listed price",
      ...priceId,
      family: true,
      help: "One for every price listed in the build request, such as STRIPE_PRICE_ID_PRO.",
    },
    {
      name: "STRIPE_API_URL",
      label: "Stripe API address",
      help: "Set only when the broker itself uses another address than api.stripe.com; give its host, port and protocol to the Stripe client.",
      secret: false,
      exposure: "server",
      pattern: "^https?:\\/\\/\\S+$",
      optional: true,
      ifUnset: "https://api.stripe.com is used.",
    },
  ],
};
