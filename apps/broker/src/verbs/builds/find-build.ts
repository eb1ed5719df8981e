import { BrokerError, type BuildView } from "@keyloan/contract";
import type { BuildRow, LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { buildView } from "./views.ts";

/**
 * A build with its leases.
 * @throws BrokerError `not_found`
 */
export async function findBuild(
  deps: Pick<Deps, "store">,
  buildId: string,
): Promise<{ build: BuildRow; leases: LeaseRow[] }> {
  const build = await deps.store.read.builds.find(buildId);
  if (build === undefined) throw buildNotFound(buildId);
  return { build, leases: await deps.store.read.leases.listByBuild(buildId) };
}

export async function showBuild(
  deps: Pick<Deps, "store" | "connectors">,
  buildId: string,
): Promise<BuildView> {
  const { build, leases } = await findBuild(deps, buildId);
  const handoffs = await deps.store.read.handoffs.listByBuild(buildId);
  return buildView(deps, build, leases, handoffs[0]);
}

export function buildNotFound(buildId: string): BrokerError {
  return new BrokerError("not_found", `there is no build ${buildId}`, {
    remedy: "List the builds with `keyloan build list`.",
  });
}
