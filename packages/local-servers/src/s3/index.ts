export { type S3Action, s3Actions, s3ReadActions } from "./actions.ts";
export { type S3Gateway, type S3GatewayOptions, type S3Interception, startS3Gateway } from "./gateway.ts";
export type { S3Answer, S3Limits } from "./operations/context.ts";
export type { ResolveCredential, S3Credential, S3Policy } from "./policy.ts";
