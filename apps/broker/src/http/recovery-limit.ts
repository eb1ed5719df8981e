import { BrokerError, limits } from "@keyloan/contract";
import { addressBuckets } from "./client-address.ts";
import type { BrokerContext } from "./context.ts";
import { createRateLimiter, rateLimited } from "./rate-limit.ts";
import { findSession } from "./session.ts";

/**
 * Bounds wrong tries at recovery codes: by visit when the request carries one, else by address, and never by build,
 * or a stranger could lock the person out. A right code costs nothing.
 */
export function limitRecovery() {
  const { recoveryTriesPerHourMax: triesMax } = limits;
  const limiter = createRateLimiter(triesMax / 3600, triesMax);
  return async <T>(context: BrokerContext, tryIt: () => Promise<T>): Promise<T> => {
    const buckets = await bucketsOf(context);
    for (const { name, share } of buckets) {
      const { waitSeconds } = limiter.take(name, context.var.deps.now(), share);
      if (waitSeconds > 0) throw rateLimited(waitSeconds);
    }
    const answer = await tryIt();
    for (const { name } of buckets) limiter.giveBack(name);
    return answer;
  };
}

async function bucketsOf(context: BrokerContext): Promise<readonly { name: string; share: number }[]> {
  try {
    const { id } = await findSession(context);
    return [{ name: id, share: 1 }];
  } catch (error) {
    // One that has ended, or was made up, says nothing of who asks.
    if (!(error instanceof BrokerError)) throw error;
    return addressBuckets(context.var.clientAddress());
  }
}
