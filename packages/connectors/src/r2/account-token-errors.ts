import { codeOfStatus, ProviderError, type ProviderErrorCode, parseRetryAfter } from "@keyloan/contract";
import type { ProviderResponse } from "../kit/http.ts";
import { provider } from "./errors.ts";
import { accountTokensPage } from "./spec.ts";

/** A failure of the account's token API rather than of R2 itself: it says something about the API token. */
export class TokenApiError extends ProviderError {}

/**
 * The error that an answer means. Its text is read for what the status alone does not tell, and goes no
 * further.
 */
export function tokenApiError(response: ProviderResponse): TokenApiError {
  const code = codeOf(response);
  const retryAfterSeconds = parseRetryAfter(response.headers.get("retry-after"));
  const remedy = remedies[code];
  return new TokenApiError(provider, code, messageOf(code, response.status), {
    status: response.status,
    ...(response.requestId === undefined ? {} : { requestId: response.requestId }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(remedy === undefined ? {} : { remedy }),
  });
}

function codeOf({ status, text }: ProviderResponse): ProviderErrorCode {
  const code = codeOfStatus(status);
  if (code !== "forbidden" && code !== "rejected" && code !== "conflict") return code;
  // A token that is none is answered 400 or 403 as well, by its form and by the call.
  if (/invalid (?:access|api) token|invalid request headers/i.test(text)) return "unauthorized";
  // Which code a full account answers with is not documented; the words for it are few.
  if (/\b(?:quota|limit|maximum|too many)\b/i.test(text)) return "quota_exceeded";
  return code;
}

function messageOf(code: ProviderErrorCode, status: number): string {
  if (code === "invalid_response") return "gave an unexpected answer about account API tokens";
  return `answered ${status} about account API tokens`;
}

const remedies: Partial<Readonly<Record<ProviderErrorCode, string>>> = {
  unauthorized: `Cloudflare refuses the API token of the org key: make a new one at ${accountTokensPage} and set the key again with \`keyloan org-keys set\`.`,
  forbidden: `Give the API token of the org key the permission Account API Tokens: Edit at ${accountTokensPage}.`,
  quota_exceeded: `The account has reached its limit of API tokens, 500 by default: close builds that are done, delete unused tokens at ${accountTokensPage}, or ask Cloudflare for more.`,
};

/** For calls where a refusal is an answer. */
export function unlessRefused(error: unknown): undefined {
  const refusals: readonly ProviderErrorCode[] = ["unauthorized", "forbidden", "rejected", "not_found"];
  if (!(error instanceof TokenApiError && refusals.includes(error.code))) throw error;
}
