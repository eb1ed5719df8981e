/** A service answered, but not what it should have. The message is ours and safe to show. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
}

const causesMax = 6;

/**
 * Why a call to a service failed, in words that are safe to show and log: a status or a code, never the
 * service's own text, which may repeat a query or a key.
 */
export function failureReason(error: unknown): string {
  const chain = [...causesOf(error)];
  const ours = chain.find((cause) => cause instanceof ServiceError);
  if (ours instanceof ServiceError) return ours.message;
  if (chain.some((cause) => /Timeout|Abort/.test(textField(cause, "name") ?? "")))
    return "did not answer in time";
  const status = chain.map(statusOf).find((found) => found !== undefined);
  if (status !== undefined) return `answered ${status}`;
  const code = chain
    .map((cause) => textField(cause, "code"))
    .findLast((found) => found !== undefined && /^[A-Z][A-Z0-9_]{2,40}$/.test(found));
  if (code === undefined) return "could not be reached";
  return /^(?:E[A-Z]|UND_)/.test(code) ? `could not be reached (${code})` : `failed with ${code}`;
}

/**
 * The promise's own outcome, or a ServiceError when it takes too long. For libraries that cannot be given a
 * signal.
 */
export async function withTimeout<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new ServiceError("did not answer in time")), timeoutMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function* causesOf(error: unknown): Generator<object> {
  let current = error;
  for (let depth = 0; depth < causesMax && typeof current === "object" && current !== null; depth++) {
    yield current;
    current = "cause" in current ? current.cause : undefined;
  }
}

function statusOf(error: object): number | undefined {
  if ("$metadata" in error && typeof error.$metadata === "object" && error.$metadata !== null) {
    return numberField(error.$metadata, "httpStatusCode");
  }
  return numberField(error, "statusCode") ?? numberField(error, "status");
}

function numberField(holder: object, name: string): number | undefined {
  const value: unknown = Reflect.get(holder, name);
  return typeof value === "number" ? value : undefined;
}

function textField(holder: object, name: string): string | undefined {
  const value: unknown = Reflect.get(holder, name);
  return typeof value === "string" ? value : undefined;
}
