import { setTimeout as delay } from "node:timers/promises";
import { type BytesAnswer, callProvider, ProviderError } from "@keyloan/contract";

export type Answer = Omit<BytesAnswer, "bytes"> & { readonly bytes: Uint8Array };

/**
 * One HTTP call with a time limit, and a size limit of at least `answerBytesMax`. Redirects are not followed.
 * If no answer arrives, it throws a ProviderError; it never throws because of an answer's status.
 */
export type Send = (url: string, init: RequestInit) => Promise<Answer>;

export type SendOptions = {
  /** Ends every call. */
  readonly signal: AbortSignal;
  /** The time limit of each attempt. */
  readonly timeoutMs: number;
  /** The most attempts if a store does not answer or is busy; 1 by default. */
  readonly attemptsMax?: number;
};

/** Creates a {@link Send} for callers that do not have their own. */
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
