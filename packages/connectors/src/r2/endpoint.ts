import { type ConnectorContext, type SecretValues, trimEndOf } from "@keyloan/contract";
import { requireField } from "../kit/define-connector.ts";

/** Everything needed to talk to one bucket. Holds secrets: never logged, never in an error. */
export type BucketAccess = {
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
};

/** The org's own access: its account's endpoint ("R2 S3 API", jurisdictions), or the configured one. */
export function orgAccess(context: ConnectorContext, fields: SecretValues): BucketAccess {
  return {
    endpoint: context.baseUrl === undefined ? accountEndpoint(fields) : trimEndOf(context.baseUrl, "/"),
    bucket: requireField(fields, "bucket"),
    accessKeyId: requireField(fields, "accessKeyId"),
    secretAccessKey: requireField(fields, "secretAccessKey"),
  };
}

/** The access that an app has by its variables, lent or its own, and what its keys start with. */
export function valuesAccess(values: SecretValues): BucketAccess & { readonly prefix: string } {
  const sessionToken = values.R2_SESSION_TOKEN?.reveal();
  return {
    endpoint: trimEndOf(requireField(values, "R2_ENDPOINT"), "/"),
    bucket: requireField(values, "R2_BUCKET"),
    accessKeyId: requireField(values, "R2_ACCESS_KEY_ID"),
    secretAccessKey: requireField(values, "R2_SECRET_ACCESS_KEY"),
    ...(sessionToken === undefined ? {} : { sessionToken }),
    prefix: values.R2_PREFIX?.reveal() ?? "",
  };
}

function accountEndpoint(fields: SecretValues): string {
  const jurisdiction = fields.jurisdiction?.reveal() ?? "default";
  const part = jurisdiction === "default" ? "" : `.${jurisdiction}`;
  return `https://${requireField(fields, "accountId")}${part}.r2.cloudflarestorage.com`;
}
