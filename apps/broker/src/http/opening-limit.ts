import type { Deps } from "../deps.ts";
import type { BrokerContext } from "./context.ts";
import { refuseLater } from "./limit-callers.ts";
import { createWorkLimiter } from "./rate-limit.ts";

/**
 * Bounds how often one proof opens visits: a browser, a signed-in user, a recovery code or a link, whatever else the
 * request carries. Each visit is rows and a key pair, and would otherwise bring limits of its own.
 * @returns what takes one opening by the proof. It throws BrokerError `rate_limited`
 */
export function limitOpenings({
  config,
}: Pick<Deps, "config">): (context: BrokerContext, proof: string | undefined) => void {
  // Nobody opens a page more often by hand.
  const limiter = createWorkLimiter(config, 0.5, 20);
  return (context, proof) => {
    if (proof === undefined) return;
    refuseLater(context, limiter.take(proof, context.var.deps.now()));
  };
}
