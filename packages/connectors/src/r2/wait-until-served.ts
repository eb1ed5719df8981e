import { setTimeout as delay } from "node:timers/promises";
import { ProviderError } from "@keyloan/contract";
import { isS3Error } from "@keyloan/s3-objects";
import { provider } from "./errors.ts";

/** Waits between looks, in milliseconds; a minute in all ("R2 consistency model": seconds to a minute). */
const waitsMs = [250, 500, 1000, 2000, 4000, ...Array<number>(10).fill(5000)];

export type WaitOptions = {
  readonly signal: AbortSignal;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
};

/**
 * Looks until a key that was just made is accepted: tokens reach R2 some time after they are made. Only a
 * refusal is waited for; every other failure ends the wait.
 * @param look one call with the key
 * @throws ProviderError `unavailable` when it is still refused at the end, `timeout` when the signal ends it
 */
export async function waitUntilServed(look: () => Promise<unknown>, options: WaitOptions): Promise<void> {
  const { signal, wait = (ms) => delay(ms, undefined, { signal }) } = options;
  for (const waitMs of waitsMs) {
    if (await isServed(look)) return;
    await wait(waitMs, signal).catch(() => {
      throw new ProviderError(provider, "timeout", "did not accept a new key in time");
    });
  }
  if (await isServed(look)) return;
  throw new ProviderError(provider, "unavailable", "does not accept a key that it has just made");
}

async function isServed(look: () => Promise<unknown>): Promise<boolean> {
  try {
    await look();
    return true;
  } catch (error) {
    const isRefusal = error instanceof ProviderError && error.status === 401;
    if (isRefusal || isS3Error(error, "AccessDenied", "SignatureDoesNotMatch")) return false;
    throw error;
  }
}
