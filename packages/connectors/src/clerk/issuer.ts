import { type Issuer, secretValues } from "@keyloan/contract";
import { requireField } from "../kit/define-connector.ts";

/** Lends the org's development keys. Clerk has no key for a part of an instance, so nothing is made or ended. */
export const issuer: Issuer = {
  plan: () => ({}),
  issue: async (context, org) =>
    secretValues({
      CLERK_SECRET_KEY: requireField(org.fields, "secretKey"),
      CLERK_PUBLISHABLE_KEY: requireField(org.fields, "publishableKey"),
      CLERK_SIGN_IN_URL: "/sign-in",
      CLERK_SIGN_UP_URL: "/sign-up",
      CLERK_SIGN_IN_FALLBACK_REDIRECT_URL: "/",
      CLERK_SIGN_UP_FALLBACK_REDIRECT_URL: "/",
      ...(context.baseUrl === undefined ? {} : { CLERK_API_URL: context.baseUrl }),
    }),
  revoke: async () => {},
};
