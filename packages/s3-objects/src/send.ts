import { setTimeout as delay } from "node:timers/promises";
import { type BytesAnswer, callProvider, ProviderError } from "@keyloan/contract";

export type Answer = Omit<BytesAnswer, "bytes"> & { readonly bytes: Uint8Array };

/**
 * One HTTP call with a limit of time, and of size that lets `answerBytesMax` through. Redirects are not followed.
 * Whatever keeps an answer from coming is a ProviderError; its status never is.
 */
export type Send = (url: string, init: RequestInit) => Promise<Answer>;

export type SendOptions = {
  /** Ends every call. */
  readonly signal: AbortSignal;
  /** Of each attempt. */
  readonly timeoutMs: number;
  /** How often a store is asked that does not answer, or is busy; once by default. */
  readonly attemptsMax?: number;
};

/** For whoever has no {@link Send} of their own. */
export function createSend(
  store: string,
  fetch: typeof globalThis.fetch,
  { signal, timeoutMs, attemptsMax = 1 }: SendOptions,
): Send {
  const ask: Send = (url, init) =>
    callProvider({ provider: store, fetch, signals: [signal], timeoutMs }, url, init);
  return async (url, init) => {
    for (let attempt = 1; attempt < attemptsMax && !signal.aborted; attempt++) {
      const answer = await ask(url, init).catch(unlessPassing);
      if (answer !== undefined && !busyStatuses.has(answer.status)) return answer;
      await delay(firstWaitMs * 2 ** attempt, undefined, { signal }).catch(() => undefined);
    }
    return ask(url, init);
  };
}

const firstWaitMs = 50;
const busyStatuses: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

function unlessPassing(error: unknown): undefined {
  if (!(error instanceof ProviderError && error.retryable)) throw error;
}
