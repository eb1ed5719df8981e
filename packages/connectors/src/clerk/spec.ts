import type { ConnectorSpec, EnvVarSpec, FieldSpec } from "@keyloan/contract";

const keysPage = "https://dashboard.clerk.com/last-active?path=api-keys";

const secretKey = {
  label: "Secret key",
  helpUrl: keysPage,
  secret: true,
  pattern: "^sk_(?:test|live)_[A-Za-z0-9]{20,200}$",
  example: "sk_test_…",
} satisfies Omit<FieldSpec, "name">;

const publishableKey = {
  label: "Publishable key",
  helpUrl: keysPage,
  secret: false,
  pattern: "^pk_(?:test|live)_[A-Za-z0-9+\\/]{8,400}={0,2}$",
  example: "pk_test_…",
} satisfies Omit<FieldSpec, "name">;

// Names as in Clerk's "Clerk environment variables" guide; the older AFTER_SIGN_IN names are deprecated.
const page = (name: string, label: string, example: string, ifUnset: string): EnvVarSpec => ({
  name,
  label,
  secret: false,
  exposure: "browser",
  pattern: "^(?:\\/|https?:\\/\\/)\\S{0,500}$",
  example,
  ifUnset,
  optional: true,
});

export const clerkSpec: ConnectorSpec = {
  id: "clerk",
  label: "Clerk",
  category: "auth",
  summary: "Sign-up and sign-in for the people who use your app.",
  grade: "E",
  revocation:
    "Nothing ends at Clerk: the keys are shared, and only a new secret key of the instance ends them.",
  orgFields: [
    {
      name: "secretKey",
      ...secretKey,
      help: "The secret key of a development instance: it starts with sk_test_.",
    },
    {
      name: "publishableKey",
      ...publishableKey,
      help: "The publishable key of the same development instance: it starts with pk_test_.",
    },
  ],
  env: [
    {
      name: "CLERK_SECRET_KEY",
      ...secretKey,
      exposure: "server",
      ifUnset: "The server cannot verify who is signed in.",
    },
    {
      name: "CLERK_PUBLISHABLE_KEY",
      ...publishableKey,
      exposure: "browser",
      ifUnset: "Sign-in pages do not load.",
    },
    page("CLERK_SIGN_IN_URL", "Sign-in page", "/sign-in", "Clerk's hosted sign-in page is used."),
    page("CLERK_SIGN_UP_URL", "Sign-up page", "/sign-up", "Clerk's hosted sign-up page is used."),
    page(
      "CLERK_SIGN_IN_FALLBACK_REDIRECT_URL",
      "Page after signing in",
      "/",
      "People land on / after signing in.",
    ),
    page(
      "CLERK_SIGN_UP_FALLBACK_REDIRECT_URL",
      "Page after signing up",
      "/",
      "People land on / after signing up.",
    ),
    {
      name: "CLERK_API_URL",
      label: "Clerk API address",
      help: "Set only when the broker itself uses another address than api.clerk.com.",
      secret: false,
      exposure: "server",
      pattern: "^https?:\\/\\/\\S+$",
      optional: true,
      ifUnset: "https://api.clerk.com is used.",
    },
  ],
};
