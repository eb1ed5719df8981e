import { defineConnector } from "../kit/define-connector.ts";
import { endOrgKey } from "./end-org-key.ts";
import { prepareOrgKey, r2Issuer } from "./issuer.ts";
import { r2OptionsSchema } from "./options.ts";
import { r2Spec } from "./spec.ts";
import { r2Storage } from "./storage.ts";
import { validate, validateOrgKey } from "./validate.ts";

/** A prefix of the org's R2 bucket, with credentials that reach nothing else and expire. */
export const r2 = defineConnector({
  spec: r2Spec,
  options: r2OptionsSchema,
  validateOrgKey,
  prepareOrgKey,
  endOrgKey,
  validate,
  issuer: r2Issuer,
  storage: r2Storage,
  // "API limits": per account token, all of Cloudflare's API together; calls to buckets do not count.
  callBudget: { calls: 1200, windowSeconds: 300, pathPrefix: "/client/v4/" },
});
