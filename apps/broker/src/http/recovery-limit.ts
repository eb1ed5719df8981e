import { BrokerError, limits, readRecoveryCode } from "@keyloan/contract";
import { addressBuckets } from "./client-address.ts";
import type { BrokerContext } from "./context.ts";
import { createRateLimiter, rateLimited } from "./rate-limit.ts";
import { findSession } from "./session.ts";

/**
 * Bounds wrong tries at recovery codes. One that passes its keyed check was made here: it has a bucket of its own, so
 * that nobody else's tries keep its person out. Any other counts for the visit when the request carries one, else for
 * the address, and never for the build. A right code costs nothing.
 */
export function limitRecovery() {
  const { recoveryTriesPerHourMax: triesMax } = limits;
  const limiter = createRateLimiter(triesMax / 3600, triesMax);
  return async <T>(context: BrokerContext, typed: string, tryIt: () => Promise<T>): Promise<T> => {
    const buckets = await bucketsOf(context, typed);
    for (const { name, share } of buckets) {
      const { waitSeconds } = limiter.take(name, context.var.deps.now(), share);
      if (waitSeconds > 0) throw rateLimited(waitSeconds);
    }
    const answer = await tryIt();
    for (const { name } of buckets) limiter.giveBack(name);
    return answer;
  };
}

type Buckets = readonly { readonly name: string; readonly share: number }[];

async function bucketsOf(context: BrokerContext, typed: string): Promise<Buckets> {
  const read = context.var.deps.tokens.read(readRecoveryCode(typed) ?? "", ["recovery"]);
  if (read?.isProven === true) return [{ name: read.hash, share: 1 }];
  try {
    const { id } = await findSession(context);
    return [{ name: id, share: 1 }];
  } catch (error) {
    // One that has ended, or was made up, says nothing of who asks.
    if (!(error instanceof BrokerError)) throw error;
    return addressBuckets(context.var.clientAddress());
  }
}
