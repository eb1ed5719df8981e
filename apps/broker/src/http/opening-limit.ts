import type { Deps } from "../deps.ts";
import type { BrokerContext } from "./context.ts";
import { createRateLimiter, rateLimited } from "./rate-limit.ts";

/**
 * Bounds how often one proof opens visits: a browser, a signed-in user or a recovery code. Each visit is rows and a key
 * pair, and would otherwise bring limits of its own. A link needs none: it opens once.
 * @returns what takes one opening by the proof. It throws BrokerError `rate_limited`
 */
export function limitOpenings({
  config,
}: Pick<Deps, "config">): (context: BrokerContext, proof: string | undefined) => void {
  // Nobody opens a page more often by hand.
  const limiter = createRateLimiter(config.rateLimitPerSecond === 0 ? 0 : 0.5, 20);
  return (context, proof) => {
    if (proof === undefined) return;
    const { waitSeconds, isNews } = limiter.take(proof, context.var.deps.now());
    if (waitSeconds === 0) return;
    context.set("isQuiet", !isNews);
    throw rateLimited(waitSeconds);
  };
}
