import type { ProviderError, ValidationResult } from "@keyloan/contract";
import { S3Error } from "@keyloan/s3-objects";
import { invalid } from "../kit/validation-results.ts";
import { tokensPage } from "./spec.ts";

/** The names under which a person typed what R2 refuses. */
export type FieldNames = {
  readonly bucket: string;
  readonly keyId: string;
  readonly secret: string;
  readonly endpoint: string;
};

/**
 * What a refusal says about the key and how to fix it, or `undefined` when it says nothing about it: the
 * store was down, slow, or answered nonsense.
 */
export function explainRefusal(
  error: ProviderError,
  names: FieldNames,
  step: string,
): ValidationResult | undefined {
  if (!(error instanceof S3Error)) return undefined;
  switch (error.s3Code) {
    case "SignatureDoesNotMatch":
      return invalid(
        names.secret,
        "rejected",
        "R2 knows the access key id, but this secret does not belong to it.",
        `Copy both again; the secret is shown only once, so you may have to make a new token: ${tokensPage}`,
      );
    case "NoSuchBucket":
      return invalid(
        names.bucket,
        "rejected",
        "The account has no such bucket.",
        "Check the bucket's name and its jurisdiction.",
      );
    case "NotEntitled":
      return invalid(
        names.keyId,
        "lacks_permission",
        "R2 is not enabled for this account.",
        "Enable R2 in the Cloudflare dashboard.",
      );
    case "AccessDenied":
      return invalid(
        names.keyId,
        "lacks_permission",
        `The key is genuine but does not have permission to ${step}.`,
        `Give the token Object Read & Write on this bucket: ${tokensPage}`,
      );
    case "RequestTimeTooSkewed":
    case "ExpiredRequest":
      return {
        status: "undetermined",
        code: "provider_down",
        message: "r2 refuses the time of the request: the clock of this machine is wrong",
      };
    default:
      return explainStatus(error, names);
  }
}

function explainStatus(error: S3Error, names: FieldNames): ValidationResult | undefined {
  if (error.status === 401) {
    return invalid(
      names.keyId,
      "rejected",
      "R2 does not know this key, or it has expired.",
      `Copy it again, or make a new token: ${tokensPage}`,
    );
  }
  if (error.code === "rate_limited" || error.code === "unavailable" || error.code === "timeout")
    return undefined;
  return {
    status: "undetermined",
    code: "provider_down",
    message: `r2 ${error.message}, which says nothing about the key`,
  };
}
