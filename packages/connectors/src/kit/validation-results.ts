import {
  type Capability,
  type EnvVarSpec,
  type FieldSpec,
  type InvalidKeyCode,
  ProviderError,
  type ProviderErrorCode,
  type SecretValues,
  type ValidationResult,
} from "@keyloan/contract";
import { isTyped } from "./check-own-values.ts";
import { BlockedAddress } from "./transport-error.ts";

/**
 * The validator's answer when a provider gave no usable answer.
 * @throws the error itself if it says something about the key, which the caller interprets, or is not a ProviderError
 */
export function undeterminedFrom(error: unknown): ValidationResult {
  if (!(error instanceof ProviderError) || !saysNothing.has(error.code)) throw error;
  return undetermined(error);
}

/** The answer for a failure of a call that every genuine key may make: it says something about the provider only. */
export function undetermined(error: ProviderError): ValidationResult {
  if (error instanceof BlockedAddress) {
    return {
      status: "undetermined",
      code: "blocked_address",
      message: `${error.message} ${error.remedy}`,
    };
  }
  return {
    status: "undetermined",
    code: error.code === "timeout" || error.code === "rate_limited" ? error.code : "provider_down",
    message: `${error.provider} ${error.message}`,
    ...(error.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: error.retryAfterSeconds }),
  };
}

const saysNothing: ReadonlySet<ProviderErrorCode> = new Set([
  "timeout",
  "rate_limited",
  "network",
  "unavailable",
  "invalid_response",
]);

/** Capabilities that were seen to work. */
export function works(...names: readonly string[]): Capability[] {
  return names.map((name) => ({ name, state: "works" }));
}

/** The answer that names what to fix. Message and remedy are sentences for a layperson. */
export function invalid(
  envVar: string,
  code: InvalidKeyCode,
  message: string,
  remedy: string,
): Extract<ValidationResult, { status: "invalid" }> {
  return { status: "invalid", envVar, code, message, remedy };
}

/** What a provider's refusals say about one key: that it is not valid or, if `lacks` is given, lacks a permission. */
export function refusalsOf(label: string, envVar: string, page: string, lacks?: string) {
  const again = `Copy it completely, or make a new one: ${page}`;
  return {
    unauthorized: invalid(envVar, "rejected", `${label} refuses the key.`, again),
    ...(lacks === undefined
      ? {}
      : {
          forbidden: invalid(
            envVar,
            "lacks_permission",
            lacks,
            `Make a key that has the permission: ${page}`,
          ),
        }),
  };
}

type Refusal = Extract<ValidationResult, { status: "invalid" }>;

/**
 * A whole check: the form of the values first, then the calls. `refusals` holds what failures say about the key;
 * every other failure is the provider's and leaves the key undetermined.
 */
export async function checkValues(
  fields: readonly (FieldSpec & Pick<EnvVarSpec, "own">)[],
  values: SecretValues,
  refusals: Partial<Readonly<Record<ProviderErrorCode, Refusal>>>,
  ask: () => Promise<ValidationResult>,
): Promise<ValidationResult> {
  const shape = malformedField(fields, values);
  if (shape !== undefined) return shape;
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return refusals[error.code] ?? undetermined(error);
  }
}

/**
 * The answer for the first field that is missing or does not have the right form; `undefined` if all are right.
 * Called before any network call, so that a typing mistake never reaches a provider. Values that users do not
 * type may be missing: they are filled in where the values are used.
 */
export function malformedField(
  fields: readonly (FieldSpec & Pick<EnvVarSpec, "own">)[],
  values: SecretValues,
): ValidationResult | undefined {
  for (const field of fields) {
    const value = values[field.name]?.reveal();
    if (value === undefined && (field.optional === true || !isTyped(field))) continue;
    if (value !== undefined && new RegExp(field.pattern ?? "").test(value)) continue;
    return invalid(
      field.name,
      "malformed",
      `${field.name} ${value === undefined ? "is missing" : "does not have the right form"}`,
      field.help ?? `Copy the whole ${field.label.toLowerCase()} again, without spaces around it.`,
    );
  }
  return undefined;
}
