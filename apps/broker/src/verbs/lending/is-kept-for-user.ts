import type { LeaseRow, Tables } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { previewUsesOwn } from "../settings/preview-answers.ts";
import { isLendingOver, wayBackEndsAt } from "./lending-end.ts";

/**
 * Whether what a lease lends is its user's to have: they have switched to their own, and can go back to this, or let
 * the preview use this instead of their own. Only themselves, the end of lending and the close end it then.
 */
export async function isKeptForUser(
  { config, now }: Pick<Deps, "config" | "now">,
  tables: Pick<Tables, "builds" | "bindings">,
  lease: Pick<LeaseRow, "id" | "buildId" | "state">,
): Promise<boolean> {
  if (lease.state !== "active" && lease.state !== "archived") return false;
  const build = await tables.builds.find(lease.buildId);
  if (build?.state !== "ready" && build?.state !== "handing_off") return false;
  const bindings = await tables.bindings.listByBuild(lease.buildId);
  const binding = bindings.find(({ leaseId }) => leaseId === lease.id);
  if (binding?.source !== "user" || isLendingOver(config, build, bindings, now())) return false;
  return !previewUsesOwn(binding) || (wayBackEndsAt(config, build, bindings) ?? 0) > now();
}
