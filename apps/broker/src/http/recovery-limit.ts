import { BrokerError, limits } from "@keyloan/contract";
import type { BrokerContext } from "./context.ts";
import { addressOf, createRateLimiter, takeOrRefuse } from "./rate-limit.ts";
import { findSession, textOfSession } from "./session.ts";

/**
 * Bounds wrong tries at recovery codes: by visit when the request carries one, else by address, and never by build,
 * or a stranger could lock the person out. A right code costs nothing.
 */
export function limitRecovery() {
  const { recoveryTriesPerHourMax: triesMax } = limits;
  const limiter = createRateLimiter(triesMax / 3600, triesMax);
  return async <T>(context: BrokerContext, tryIt: () => Promise<T>): Promise<T> => {
    const principal = await principalOf(context);
    takeOrRefuse(limiter, principal, context.var.deps.now());
    const answer = await tryIt();
    limiter.giveBack(principal);
    return answer;
  };
}

async function principalOf(context: BrokerContext): Promise<string> {
  try {
    const { id } = await findSession(context.var.deps, textOfSession(context));
    return `session:${id}`;
  } catch (error) {
    // One that has ended, or was made up, says nothing of who asks.
    if (!(error instanceof BrokerError)) throw error;
    return `address:${addressOf(context) ?? "unknown"}`;
  }
}
