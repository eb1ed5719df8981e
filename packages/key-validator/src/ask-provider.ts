import {
  type ConnectorContext,
  type EnvVarSpec,
  ProviderError,
  type SecretValues,
  type UndeterminedCode,
  type ValidationResult,
} from "@keyloan/contract";
import { BlockedAddressError } from "./address/blocked-address-error.ts";

/** A connector's `validate`. */
export type ProviderCheck = (context: ConnectorContext, values: SecretValues) => Promise<ValidationResult>;

type Question = {
  readonly label: string;
  readonly variables: readonly EnvVarSpec[];
  readonly values: SecretValues;
  readonly check: ProviderCheck;
  readonly context: ConnectorContext;
  readonly timeoutMs: number;
  readonly onMistake: ((error: unknown) => void) | undefined;
};

/**
 * Runs a connector's check with a deadline and describes the result in a user's words. Only the provider's own
 * refusal makes a key `invalid`.
 */
export async function askProvider(question: Question): Promise<ValidationResult> {
  const { label, context, check, values, onMistake } = question;
  const blocked: BlockedAddressError[] = [];
  const deadline = AbortSignal.timeout(question.timeoutMs);
  const signal = AbortSignal.any([context.signal, deadline]);
  const fetch = recordBlocked(context.fetch, blocked);
  let result: ValidationResult;
  try {
    result = await Promise.race([check({ ...context, fetch, signal }, values), timedOut(signal)]);
  } catch (error) {
    if (!(error instanceof ProviderError)) onMistake?.(error);
    result = readFailure(error, question);
  }
  if (result.status !== "undetermined") return result;
  // Whatever the connector reported: the address was refused, and waiting does not help.
  const [refusal] = blocked;
  if (refusal !== undefined) return blockedAnswer(refusal, question);
  return undetermined(label, result.code, result.retryAfterSeconds);
}

function recordBlocked(
  fetch: typeof globalThis.fetch,
  blocked: BlockedAddressError[],
): typeof globalThis.fetch {
  return async (input, init) => {
    try {
      return await fetch(input, init);
    } catch (error) {
      if (error instanceof BlockedAddressError) blocked.push(error);
      throw error;
    }
  };
}

function timedOut(signal: AbortSignal): Promise<ValidationResult> {
  return new Promise((resolve) => {
    const answer = () => resolve({ status: "undetermined", code: "timeout", message: "" });
    if (signal.aborted) answer();
    else signal.addEventListener("abort", answer, { once: true });
  });
}

function readFailure(error: unknown, { label, variables, values }: Question): ValidationResult {
  const field = variables.find(({ name, secret }) => secret && values[name] !== undefined) ?? variables[0];
  const link = field?.helpUrl === undefined ? "" : ` See ${field.helpUrl}`;
  const code = error instanceof ProviderError ? error.code : "network";
  const retryAfterSeconds = error instanceof ProviderError ? error.retryAfterSeconds : undefined;
  switch (code) {
    case "unauthorized":
      return {
        status: "invalid",
        envVar: field?.name ?? "",
        code: "rejected",
        message: `${label} does not accept this key.`,
        remedy: `It may be mistyped, expired or deleted: copy the current one.${link}`,
      };
    case "forbidden":
    case "quota_exceeded":
      return {
        status: "invalid",
        envVar: field?.name ?? "",
        code: "lacks_permission",
        message: `${label} knows this key, but does not let it do what your app needs.`,
        remedy: `Give the key more permissions, or make a new key that has them.${link}`,
      };
    case "timeout":
    case "rate_limited":
      return undetermined(label, code, retryAfterSeconds);
    default:
      return undetermined(label, "provider_down", retryAfterSeconds);
  }
}

const undeterminedMessages: Readonly<Record<UndeterminedCode, (label: string) => string>> = {
  timeout: (label) =>
    `${label} did not answer in time. This says nothing about your keys: try again in a minute.`,
  provider_down: (label) =>
    `${label} cannot be reached right now. This says nothing about your keys: check the address if you entered one, or try again in a few minutes.`,
  rate_limited: (label) =>
    `${label} asks for a pause. This says nothing about your keys: try again a little later.`,
  blocked_address: (label) => `The address entered for ${label} cannot be called from here.`,
};

function undetermined(
  label: string,
  code: UndeterminedCode,
  retryAfterSeconds: number | undefined,
): ValidationResult {
  const retryAfter = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  return { status: "undetermined", code, message: undeterminedMessages[code](label), ...retryAfter };
}

function blockedAnswer(refusal: BlockedAddressError, { variables, values }: Question): ValidationResult {
  const addresses = variables.filter(({ name, role }) => role === "address" && values[name] !== undefined);
  const [only, ...others] = addresses;
  const where = only === undefined || others.length > 0 ? "" : `“${only.label}”: `;
  return {
    status: "undetermined",
    code: "blocked_address",
    message: `${where}${refusal.message} ${refusal.remedy}`,
  };
}
