import { type ConnectorSpec, type EnvVarSpec, type FieldSpec, formOf } from "@keyloan/contract";
import { pagePattern, webAddressForm } from "../kit/address-patterns.ts";

// `~` is whichever instance the person had open last ("Rotate your Clerk API keys").
export const keysPage = "https://dashboard.clerk.com/~/api-keys";

export const secretKeyForm = formOf({ test: ["sk_test_"], live: ["sk_live_"] }, "[A-Za-z0-9]{20,200}");

const secretKey = {
  label: "Secret key",
  helpUrl: keysPage,
  secret: true,
  ...secretKeyForm,
  example: "sk_test_…",
} satisfies Omit<FieldSpec, "name">;

// Base64 of a host's letters, digits, dots and dashes, three at a time, and of one `$` at the end (`@clerk/shared`, keys).
const hostStart = "[L-OYZa-e][CDGHSTWXijmnyz23]";
const publishableForm = formOf(
  { test: ["pk_test_"], live: ["pk_live_"] },
  `(?:${hostStart}[A-Za-z0-9+\\/]{2}){2,100}(?:${hostStart}[A-Za-z0-9+\\/]k|${hostStart}Q=?|JA(?:==)?)`,
);

const publishableKey = {
  label: "Publishable key",
  helpUrl: keysPage,
  secret: false,
  ...publishableForm,
  unmistakable: publishableForm.pattern,
  example: "pk_test_…",
} satisfies Omit<FieldSpec, "name">;

// Names as in Clerk's "Clerk environment variables" guide; the older AFTER_SIGN_IN names are deprecated.
const page = (name: string, label: string, path: string, ifUnset: string): EnvVarSpec => ({
  name,
  label,
  help: "A page of your app: a path that starts with /, or a whole address.",
  secret: false,
  exposure: "browser",
  pattern: pagePattern,
  example: path,
  ifUnset,
  optional: true,
  own: { kind: "default", value: path },
});

export const clerkSpec: ConnectorSpec = {
  id: "clerk",
  label: "Clerk",
  category: "auth",
  summary: "Lets people sign up for your app and sign in.",
  grade: "E",
  revocation:
    "Nothing ends at Clerk: the keys are shared, and only a new secret key of the instance ends them.",
  guide: {
    url: keysPage,
    steps: [
      "Sign in to Clerk and open your application, or create one.",
      "For real users, select Development at the top of the page and then Create production instance; it needs a domain of your own. To try things out, stay in Development.",
      "Open the API keys page and copy the publishable key, which starts with pk_, into its field.",
      "Under Secret keys select Add new key, name it after your app and create it.",
      "Copy the secret key, which starts with sk_, into its field at once: Clerk shows it only now.",
    ],
  },
  onSwap:
    "Your app starts without users in your own Clerk; people who signed up during testing stay in the lent one and must sign up again.",
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
      help: "Copy the whole secret key: it starts with sk_live_, or sk_test_ in Development. Clerk shows it once: if it is gone, add a new one.",
      exposure: "server",
      ifUnset: "The server cannot verify who is signed in.",
      own: { kind: "typed" },
    },
    {
      name: "CLERK_PUBLISHABLE_KEY",
      ...publishableKey,
      help: "Copy the publishable key from the same page as the secret key: it starts with pk_live_, or pk_test_ in Development.",
      exposure: "browser",
      ifUnset: "Sign-in pages do not load.",
      own: { kind: "typed" },
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
      help: "Set only when the broker itself uses an address other than api.clerk.com.",
      secret: false,
      exposure: "server",
      ...webAddressForm,
      optional: true,
      ifUnset: "https://api.clerk.com is used.",
      own: { kind: "absent" },
    },
  ],
};
