import {
  type ConnectorContext,
  type FieldSpec,
  ProviderError,
  type SecretValues,
  type ValidationResult,
} from "@keyloan/contract";
import { checkShape } from "./check-shape.ts";
import type { KnownSpecs } from "./input/check-user-shape.ts";

export const validationTimeoutMsDefault = 15_000;

/**
 * Checks the form, then runs the connector's own check with a deadline. A provider that cannot be reached is
 * `undetermined`, never `invalid`; only the provider's own refusal makes a key `invalid`.
 * @throws what the connector throws besides ProviderError: a mistake in its code
 */
export async function validateKeys(options: {
  readonly fields: readonly FieldSpec[];
  readonly values: SecretValues;
  /** All providers, to name the provider of a key that belongs to another one. */
  readonly known?: KnownSpecs;
  readonly check:
    | ((context: ConnectorContext, values: SecretValues) => Promise<ValidationResult>)
    | undefined;
  readonly context: ConnectorContext;
  readonly timeoutMs?: number;
}): Promise<ValidationResult> {
  const shape = checkShape(options.fields, options.values, options.known);
  if (shape !== undefined) return shape;
  if (options.check === undefined) return { status: "valid", capabilities: [], warnings: [] };
  const deadline = AbortSignal.timeout(options.timeoutMs ?? validationTimeoutMsDefault);
  const context = { ...options.context, signal: AbortSignal.any([options.context.signal, deadline]) };
  try {
    return await Promise.race([options.check(context, options.values), timedOut(context.signal)]);
  } catch (error) {
    if (error instanceof ProviderError) return fromProviderError(error, options.fields);
    throw error;
  }
}

function timedOut(signal: AbortSignal): Promise<ValidationResult> {
  return new Promise((resolve) => {
    const answer = () =>
      resolve({ status: "undetermined", code: "timeout", message: "the provider did not answer in time" });
    if (signal.aborted) answer();
    else signal.addEventListener("abort", answer, { once: true });
  });
}

function fromProviderError(error: ProviderError, fields: readonly FieldSpec[]): ValidationResult {
  const name = fields.find(({ secret }) => secret)?.name ?? fields[0]?.name ?? "";
  const message = `${error.provider} ${error.message}`;
  if (error.code === "unauthorized") {
    return { status: "invalid", envVar: name, code: "rejected", message, remedy: error.remedy };
  }
  if (error.code === "forbidden" || error.code === "quota_exceeded") {
    return { status: "invalid", envVar: name, code: "lacks_permission", message, remedy: error.remedy };
  }
  const retryAfter =
    error.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: error.retryAfterSeconds };
  const code =
    error.code === "timeout" ? "timeout" : error.code === "rate_limited" ? "rate_limited" : "provider_down";
  return { status: "undetermined", code, message, ...retryAfter };
}
