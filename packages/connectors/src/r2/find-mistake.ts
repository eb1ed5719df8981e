import type { SecretValues, ValidationResult } from "@keyloan/contract";
import { invalid } from "../kit/validation-results.ts";
import { tokensPage } from "./spec.ts";

const secretForm = /^[0-9a-f]{64}$/;

/** Names a value that is genuine but stands in the wrong place; `undefined` when none is seen. */
export function findMistake(values: SecretValues): ValidationResult | undefined {
  const keyId = values.R2_ACCESS_KEY_ID?.reveal() ?? "";
  const secret = values.R2_SECRET_ACCESS_KEY?.reveal() ?? "";
  if (secretForm.test(keyId)) {
    return invalid(
      "R2_ACCESS_KEY_ID",
      "malformed",
      "This is the Secret Access Key, not the Access Key ID.",
      "Enter the shorter one, of 32 characters, here and the longer one in the field of the secret.",
    );
  }
  if (/^cf(?:at|ut|k)_/.test(secret)) {
    return invalid(
      "R2_SECRET_ACCESS_KEY",
      "malformed",
      "This is the value of the API token, not the Secret Access Key.",
      `Copy the Secret Access Key that the same page shows below the token's value: ${tokensPage}`,
    );
  }
  const { host, path } = endpointParts(values.R2_ENDPOINT?.reveal() ?? "");
  if (host !== undefined && path !== "") {
    return invalid(
      "R2_ENDPOINT",
      "malformed",
      "The endpoint has the bucket name, or something else, at its end.",
      `Remove everything after the host name, so that it is https://${host}`,
    );
  }
  return undefined;
}

/** Of an address on R2's own hosts; nothing of any other. */
function endpointParts(endpoint: string): { readonly host?: string; readonly path: string } {
  const found = /^https:\/\/((?:[a-z0-9]+\.)+r2\.cloudflarestorage\.com)\/([^\s?#]+)$/.exec(endpoint);
  return found?.[1] === undefined ? { path: "" } : { host: found[1], path: found[2] ?? "" };
}
