import type { ProviderErrorCode } from "./errors.ts";

/** What an HTTP status of a provider means to us. */
export function codeOfStatus(status: number): ProviderErrorCode {
  if (status === 401) return "unauthorized";
  if (status === 402) return "quota_exceeded";
  if (status === 403) return "forbidden";
  if (status === 404) return "not_found";
  if (status === 408) return "timeout";
  if (status === 409) return "conflict";
  if (status === 429) return "rate_limited";
  if (status >= 500) return "unavailable";
  if (status >= 400) return "rejected";
  return "invalid_response";
}

/** Seconds from a `Retry-After` header, capped at an hour. */
export function parseRetryAfter(value: string | null, nowMs: number = Date.now()): number | undefined {
  if (value === null || value.trim() === "") return undefined;
  const seconds = Number(value);
  const wait = Number.isFinite(seconds) ? seconds : (Date.parse(value) - nowMs) / 1000;
  return Number.isFinite(wait) ? Math.min(Math.max(Math.ceil(wait), 0), 3600) : undefined;
}
