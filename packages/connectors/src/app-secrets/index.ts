import { type ConnectorContext, type PlannedLease, Secret, type SecretValues } from "@keyloan/contract";
import { defineConnector } from "../kit/define-connector.ts";
import { malformedField } from "../kit/validation-results.ts";
import { appSecretsSpec } from "./spec.ts";

const randomHex = (context: ConnectorContext, bytes: number) =>
  Secret.of(Buffer.from(context.randomBytes(bytes)).toString("hex"));

/** Random secrets that an app needs and no provider gives. */
export const appSecrets = defineConnector({
  spec: appSecretsSpec,
  validate: async (_context, values) =>
    malformedField(appSecretsSpec.env, values) ?? { status: "valid", capabilities: [], warnings: [] },
  issuer: {
    plan: () => ({}),
    issue: async (context, _org, _lease: PlannedLease): Promise<SecretValues> => ({
      JWT_SECRET: randomHex(context, 32),
      CHECKOUT_TOKEN_SECRET: randomHex(context, 24),
    }),
    // Nothing exists outside the build's env; its data key is shredded when the build closes.
    revoke: async () => {},
  },
});
