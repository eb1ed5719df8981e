import { setTimeout as delay } from "node:timers/promises";
import { ProviderError } from "@keyloan/contract";

export type Answer = { readonly status: number; readonly headers: Headers; readonly bytes: Uint8Array };

/**
 * One HTTP call with a limit of time, and of size that lets {@link answerBytesMax} through. Redirects are not followed.
 * Whatever keeps an answer from coming is a ProviderError; its status never is.
 */
export type Send = (url: string, init: RequestInit) => Promise<Answer>;

/** As much as one answer may hold: a piece of an object, or a page of a listing. */
export const answerBytesMax = 4 * 1024 * 1024;

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
    withinTime(store, [signal], timeoutMs, async (limit) => {
      const { status, headers, body } = await fetch(url, { ...init, redirect: "manual", signal: limit });
      const chunks: Uint8Array[] = [];
      let left = answerBytesMax;
      for await (const chunk of body ?? []) {
        left -= chunk.byteLength;
        if (left < 0)
          throw new ProviderError(store, "invalid_response", "the answer is too large", { status });
        chunks.push(chunk);
      }
      return { status, headers, bytes: Buffer.concat(chunks) };
    });
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

/** @throws ProviderError `timeout` or `network`, or the one that `call` throws */
export async function withinTime<T>(
  store: string,
  signals: readonly AbortSignal[],
  timeoutMs: number,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = AbortSignal.any([...signals, AbortSignal.timeout(timeoutMs)]);
  try {
    return await call(limit);
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    if (limit.aborted) throw new ProviderError(store, "timeout", "did not answer in time");
    throw new ProviderError(store, "network", "could not be reached");
  }
}
