import { type ConnectorSpec, type FieldSpec, formOf } from "@keyloan/contract";
import { webAddressForm } from "../kit/address-patterns.ts";

/** The keys of test mode or of a sandbox: the only ones an org may lend. */
export const testKeysPage = "https://dashboard.stripe.com/test/apikeys";
/** The keys of the mode that is open in the dashboard. */
export const keysPage = "https://dashboard.stripe.com/apikeys";
const productsPage = "https://dashboard.stripe.com/products";
const webhooksPage = "https://dashboard.stripe.com/webhooks";

/** Opens "Create restricted key" with what an app needs to sell already chosen. */
const newKeyPage = `${keysPage}/create?name=My%20app${[
  "rak_checkout_session_write",
  "rak_payment_intent_write",
  "rak_product_read",
  "rak_plan_read",
]
  .map((permission) => `&permissions%5B%5D=${permission}`)
  .join("")}`;

/** Newer, long keys go on with `51` and the account's own letters. Observed, not documented. */
const keyRest = "[A-Za-z0-9]{10,250}";

const secretKey = {
  label: "Secret or restricted key",
  secret: true,
  ...formOf({ test: ["rk_test_", "sk_test_"], live: ["rk_live_", "sk_live_"] }, keyRest),
  unmistakable: "^[rs]k_(?:test|live)_51[A-Za-z0-9]{84}",
  example: "rk_test_…",
} satisfies Omit<FieldSpec, "name">;

const publishableKey = {
  label: "Publishable key",
  secret: false,
  ...formOf({ test: ["pk_test_"], live: ["pk_live_"] }, keyRest),
  unmistakable: "^pk_(?:test|live)_51[A-Za-z0-9]{84}",
  example: "pk_test_…",
} satisfies Omit<FieldSpec, "name">;

const priceId = {
  secret: false,
  exposure: "server",
  // Plans of old have ids of the account's own making; a product's or a key is none.
  pattern: "^(?!prod_|pk_|sk_|rk_|whsec_)[A-Za-z0-9_.\\-]{1,255}$",
  optional: true,
} as const;

export const stripeSpec: ConnectorSpec = {
  id: "stripe",
  label: "Stripe",
  category: "payments",
  summary: "Takes payments from your customers; lent keys are in test mode, where no card is charged.",
  grade: "E",
  revocation:
    "The build's own products and prices are archived; the test keys are shared and end only when they are rotated in the dashboard.",
  guide: {
    url: keysPage,
    steps: [
      "Sign in to Stripe. For real payments Stripe first asks about your business; to try things out, switch to a sandbox.",
      "On the API keys page copy the publishable key, which starts with pk_, into its field.",
      "Select Create restricted key and say that it powers an integration you built. Allow Checkout Sessions and Payment Intents: write, Products and Prices: read.",
      "Copy the new key, which starts with rk_, into its field at once: Stripe shows it only now.",
      "In the product catalog add what you sell with a price, open it, and copy the price's id, which starts with price_.",
      "Under Webhooks add a destination with the address of your app, open it, and reveal and copy its signing secret, which starts with whsec_.",
    ],
  },
  onSwap:
    "Your app sells your own products from your Stripe account; test payments and prices stay in the lent one.",
  orgFields: [
    {
      name: "secretKey",
      ...secretKey,
      helpUrl: testKeysPage,
      help: "A restricted key of test mode (rk_test_) with write access to products and prices; sk_test_ works too.",
    },
    {
      name: "publishableKey",
      ...publishableKey,
      helpUrl: testKeysPage,
      help: "The publishable key of the same account in test mode: it starts with pk_test_.",
    },
  ],
  env: [
    {
      name: "STRIPE_SECRET_KEY",
      ...secretKey,
      help: "Copy the whole restricted key: it starts with rk_live_, or rk_test_ in a sandbox. A secret key (sk_) works too, but can do everything in your account.",
      helpUrl: newKeyPage,
      exposure: "server",
      ifUnset: "The server cannot start a payment.",
      own: { kind: "typed" },
    },
    {
      name: "STRIPE_PUBLISHABLE_KEY",
      ...publishableKey,
      help: "Copy the publishable key of the same account and mode: it starts with pk_live_, or pk_test_ in a sandbox.",
      helpUrl: keysPage,
      exposure: "browser",
      ifUnset: "Payment forms do not load.",
      own: { kind: "typed" },
    },
    {
      name: "STRIPE_PRICE_ID",
      label: "Price",
      ...priceId,
      help: "Copy the id of one of your prices, not of a product: it starts with price_.",
      helpUrl: productsPage,
      example: "price_1AbCdEfGhIjKlMnOpQrStUvW",
      ifUnset: "The checkout has nothing to sell.",
      own: { kind: "typed" },
    },
    {
      name: "STRIPE_PRICE_ID_",
      label: "Listed price",
      ...priceId,
      family: true,
      optional: true,
      help: "For an app that sells several things: one for each, such as STRIPE_PRICE_ID_PRO.",
      helpUrl: productsPage,
      ifUnset: "The app cannot sell the things that use these names.",
      own: { kind: "typed" },
    },
    {
      name: "STRIPE_WEBHOOK_SECRET",
      label: "Webhook signing secret",
      help: "Copy the signing secret of the webhook that calls your app: it starts with whsec_. Lent keys have none.",
      helpUrl: webhooksPage,
      secret: true,
      exposure: "server",
      ...formOf(["whsec_"], "[A-Za-z0-9_+\\/=\\-]{8,250}"),
      example: "whsec_…",
      optional: true,
      ifUnset:
        "The app cannot tell whether a message about a payment comes from Stripe, and must not trust any.",
      own: { kind: "typed" },
      role: "webhook_secret",
    },
    {
      name: "STRIPE_API_URL",
      label: "Stripe API address",
      help: "Set only when the broker itself uses an address other than api.stripe.com; give its host, port and protocol to the Stripe client.",
      secret: false,
      exposure: "server",
      ...webAddressForm,
      optional: true,
      ifUnset: "https://api.stripe.com is used.",
      own: { kind: "absent" },
    },
  ],
};
