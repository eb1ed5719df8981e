import type { BuildView } from "@keyloan/contract";
import type { Deps } from "../../deps.ts";
import { findBuild } from "./find-build.ts";
import { buildView } from "./views.ts";

const pollMs = 50;

/**
 * The build as soon as every lease was tried, in this process or in another one, or when the time is over.
 * @throws BrokerError `not_found`
 */
export async function waitUntilTried(deps: Deps, buildId: string, waitSeconds: number): Promise<BuildView> {
  const endsAt = performance.now() + waitSeconds * 1000;
  for (;;) {
    const leftMs = endsAt - performance.now();
    if (leftMs > 0) await endsWithin(deps, deps.runner.settled(buildId), leftMs);
    const { build, leases } = await findBuild(deps, buildId);
    const untried = leases.some(({ state, lastError }) => state === "planned" && lastError === null);
    if (build.state !== "provisioning" || !untried || performance.now() >= endsAt) {
      return buildView(deps, build, leases);
    }
    await deps.sleep(pollMs);
  }
}

/** Waits for the work, at most so long; the timer does not outlive it. */
export async function endsWithin(deps: Pick<Deps, "sleep">, work: Promise<void>, ms: number): Promise<void> {
  const late = new AbortController();
  await Promise.race([work, deps.sleep(ms, late.signal)]);
  late.abort();
}
