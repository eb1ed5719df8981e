/** A complete environment in shape; addresses are filled in by the test. */
export const environment = {
  PORT: "0",
  TURSO_DATABASE_URL: "libsql://notes.example",
  TURSO_AUTH_TOKEN: "database-token",
  R2_ENDPOINT: "http://127.0.0.1:9",
  R2_BUCKET: "apps",
  R2_PREFIX: "builds/one/",
  R2_ACCESS_KEY_ID: "access",
  R2_SECRET_ACCESS_KEY: "secret-access",
  R2_SESSION_TOKEN: "session",
  CLERK_SECRET_KEY: "sk_test_clerk",
  CLERK_PUBLISHABLE_KEY: "pk_test_bm90ZXMuY2xlcmsuYWNjb3VudHMuZGV2JA",
  STRIPE_SECRET_KEY: "rk_test_stripe",
  STRIPE_PUBLISHABLE_KEY: "pk_test_stripe",
  STRIPE_PRICE_ID: "price_demo",
  JWT_SECRET: "j".repeat(64),
  CHECKOUT_TOKEN_SECRET: "c".repeat(48),
} as const;

export const priceBody = JSON.stringify({
  id: "price_demo",
  object: "price",
  active: true,
  currency: "eur",
  unit_amount: 1900,
  livemode: false,
});

export const userCountBody = JSON.stringify({ object: "total_count", total_count: 7 });
