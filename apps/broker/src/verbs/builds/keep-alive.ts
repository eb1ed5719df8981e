import { limits, ProviderError } from "@keyloan/contract";
import { closesAt } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import { isLendingOver } from "../lending/lending-end.ts";
import { findBuild } from "./find-build.ts";
import { renewBuild } from "./renew-build.ts";

/** Some more than is needed, so that whoever asks again and again has a provider asked once. */
const spareFactor = 1.125;

/**
 * Lets a build and what was lent to it live until then, as far as that can be had: not past the renewable end,
 * not past the longest life of a lent key, and not when a provider does not renew.
 * @returns until when it lives now, in milliseconds since the epoch
 * @throws BrokerError `not_found` or `build_closed`
 */
export async function keepAliveUntil(deps: Deps, by: By, buildId: string, untilMs: number): Promise<number> {
  const { build, leases } = await findBuild(deps, buildId);
  const bindings = await deps.store.read.bindings.listByBuild(buildId);
  // Nothing is lent any more that could end before the build.
  if (isLendingOver(deps.config, build, bindings, deps.now())) return closesAt(build) ?? build.expiresAt;
  // What was revoked ends no later than that, and the build goes on without it.
  const lent = leases.filter(({ state }) => state !== "releasing" && state !== "released");
  const ends = Math.min(build.expiresAt, ...lent.map(({ expiresAt }) => expiresAt));
  const renewable = build.state === "ready" || build.state === "handing_off";
  if (ends >= untilMs || !renewable) return ends;
  const neededSeconds = (untilMs - deps.now()) / 1000;
  const ttlSeconds = Math.min(Math.ceil(neededSeconds * spareFactor), limits.ttlSecondsMax);
  try {
    const renewed = await renewBuild(deps, by, buildId, { ttlSeconds });
    return Date.parse(renewed.expiresAt);
  } catch (error) {
    // What a provider does not renew ends when it ends; whoever asked shortens its own promise to that.
    if (error instanceof ProviderError) return ends;
    throw error;
  }
}
