import { failureReason } from "./failure.ts";

/** Resolves to a short remark when the service works; throws when it does not. */
export type Check = () => Promise<string>;
export type CheckResult =
  | { readonly ok: true; readonly detail: string }
  | { readonly ok: false; readonly reason: string };
export type Health = { readonly ok: boolean; readonly services: Readonly<Record<string, CheckResult>> };

/** Runs all checks side by side. */
export async function runChecks(checks: Readonly<Record<string, Check>>): Promise<Health> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await runCheck(check)] as const),
  );
  return { ok: results.every(([, result]) => result.ok), services: Object.fromEntries(results) };
}

/**
 * Remembers a good answer for a while, so that a frequent health check does not use up the rate limit of a
 * provider. Failures are always asked again.
 */
export function rememberSuccess(check: Check, forMs: number, now: () => number): Check {
  let last: { readonly detail: string; readonly until: number } | undefined;
  return async () => {
    if (last !== undefined && now() < last.until) return last.detail;
    const detail = await check();
    last = { detail, until: now() + forMs };
    return detail;
  };
}

async function runCheck(check: Check): Promise<CheckResult> {
  try {
    return { ok: true, detail: await check() };
  } catch (error) {
    return { ok: false, reason: failureReason(error) };
  }
}
