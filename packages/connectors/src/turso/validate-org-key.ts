import {
  type ConnectorContext,
  type InvalidKeyCode,
  ProviderError,
  type SecretValues,
  type ValidationResult,
} from "@keyloan/contract";
import { requireField } from "../kit/define-connector.ts";
import { malformedField, undeterminedFrom } from "../kit/validation-results.ts";
import { openTursoApi, type TursoApi } from "./client.ts";
import { tursoSpec } from "./spec.ts";

const soonSeconds = 14 * 24 * 3600;

/** Does the platform token work, and does it reach the group? Reads only. */
export async function validateOrgKey(
  context: ConnectorContext,
  fields: SecretValues,
): Promise<ValidationResult> {
  const shape = malformedField(tursoSpec.orgFields, fields);
  if (shape !== undefined) return shape;
  const api = openTursoApi(context, fields);
  try {
    const expiry = await api.tokenExpiry();
    const nowSeconds = context.now() / 1000;
    if (expiry !== -1 && expiry <= nowSeconds) return rejected("Turso reports that the token has expired");
    const reach = await checkGroup(api);
    if (reach !== undefined) return reach;
    return {
      status: "valid",
      account: requireField(fields, "organization"),
      capabilities: [
        { name: "read the group", state: "works" },
        // Turso has no call that tells a token's scopes; making a database to find out would cost quota.
        ...["create databases", "mint and rotate tokens", "delete databases"].map((name) => ({
          name,
          state: "not_checked" as const,
        })),
      ],
      warnings:
        expiry !== -1 && expiry - nowSeconds < soonSeconds
          ? ["The token expires within 14 days: set a new one before that."]
          : [],
    };
  } catch (error) {
    return answerOf(error);
  }
}

/** 403 tells of the token, 404 of the names; which of the two names, a second question tells. */
async function checkGroup(api: TursoApi): Promise<ValidationResult | undefined> {
  const code = await codeOf(api.getGroup());
  if (code === undefined) return undefined;
  if (code === "forbidden") {
    return invalid(
      "token",
      "lacks_permission",
      "the token does not have permission to read this group",
      "Make a token for this organization and group with the scope read and the db: scopes.",
    );
  }
  const organization = await codeOf(api.listGroups());
  return organization === undefined
    ? invalid(
        "group",
        "rejected",
        "the organization has no group with this name",
        "Copy the group's name again.",
      )
    : invalid(
        "organization",
        "rejected",
        "Turso knows no organization with this name for this token",
        "Copy the organization's slug from the dashboard's address.",
      );
}

async function codeOf(answer: Promise<void>): Promise<"forbidden" | "not_found" | undefined> {
  return answer.then(
    () => undefined,
    (error: unknown) => {
      if (!(error instanceof ProviderError)) throw error;
      if (error.code === "forbidden" || error.code === "not_found") return error.code;
      throw error;
    },
  );
}

function answerOf(error: unknown): ValidationResult {
  if (!(error instanceof ProviderError)) throw error;
  switch (error.code) {
    case "unauthorized":
      return rejected("Turso refuses the token");
    case "forbidden":
      return invalid(
        "token",
        "lacks_permission",
        "the token does not have permission to be checked",
        "Make a new token.",
      );
    case "quota_exceeded":
      return invalid(
        "organization",
        "lacks_permission",
        "the organization's subscription does not allow this",
        "Fix the subscription on the dashboard's billing page.",
      );
    case "timeout":
    case "rate_limited":
    case "network":
    case "unavailable":
    case "invalid_response":
      return undeterminedFrom(error);
    default:
      // Every genuine token may make these reads: any other answer tells of the provider.
      return { status: "undetermined", code: "provider_down", message: `turso ${error.message}` };
  }
}

function rejected(message: string): ValidationResult {
  return invalid(
    "token",
    "rejected",
    message,
    "Make a new platform token and copy it whole: it is shown once.",
  );
}

function invalid(envVar: string, code: InvalidKeyCode, message: string, remedy: string): ValidationResult {
  return { status: "invalid", envVar, code, message, remedy };
}
