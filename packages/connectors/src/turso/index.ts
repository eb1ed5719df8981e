import { defineConnector } from "../kit/define-connector.ts";
import { tursoDatabase } from "./database.ts";
import { tursoSpec } from "./spec.ts";
import { validate } from "./validate.ts";
import { validateOrgKey } from "./validate-org-key.ts";

/** A Turso database of its own per build. */
export const turso = defineConnector({
  spec: tursoSpec,
  validateOrgKey,
  validate,
  database: tursoDatabase,
});
