import { ProviderError } from "@keyloan/contract";
import { defineConnector, requireField } from "../kit/define-connector.ts";
import { openClerk } from "./client.ts";
import { issuer } from "./issuer.ts";
import { decodePublishableKey } from "./publishable-key.ts";
import { clerkSpec } from "./spec.ts";
import { validate, validateOrgKey } from "./validate.ts";

/** The org's Clerk development instance, lent to every build. */
export const clerk = defineConnector({
  spec: clerkSpec,
  validateOrgKey,
  prepareOrgKey: async (context, fields) => {
    const publishable = decodePublishableKey(requireField(fields, "publishableKey"));
    if (publishable === undefined) {
      throw new ProviderError("clerk", "rejected", "the publishable key contains no host name");
    }
    const { id, environment } = await openClerk(context, requireField(fields, "secretKey")).readInstance();
    return { instanceId: id, environment, frontendApiHost: publishable.host };
  },
  validate,
  issuer,
});
