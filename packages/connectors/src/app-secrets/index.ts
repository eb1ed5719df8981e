import { type ConnectorContext, Secret, type SecretValues } from "@keyloan/contract";
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
    issue: generate,
    // Only the app knows the values before: they end when it starts with these.
    rotate: generate,
    // Nothing exists outside the build's env; its data key is shredded when the build closes.
    revoke: async () => {},
  },
});

async function generate(context: ConnectorContext): Promise<SecretValues> {
  return { JWT_SECRET: randomHex(context, 32), CHECKOUT_TOKEN_SECRET: randomHex(context, 24) };
}
