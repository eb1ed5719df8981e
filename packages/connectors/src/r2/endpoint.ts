import type { ConnectorContext, SecretValues } from "@keyloan/contract";
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
    endpoint: context.baseUrl?.replace(/\/+$/, "") ?? accountEndpoint(fields),
    bucket: requireField(fields, "bucket"),
    accessKeyId: requireField(fields, "accessKeyId"),
    secretAccessKey: requireField(fields, "secretAccessKey"),
  };
}

function accountEndpoint(fields: SecretValues): string {
  const jurisdiction = fields.jurisdiction?.reveal() ?? "default";
  const part = jurisdiction === "default" ? "" : `.${jurisdiction}`;
  return `https://${requireField(fields, "accountId")}${part}.r2.cloudflarestorage.com`;
}
