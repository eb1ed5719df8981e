import type { Tables } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { auditRow } from "../audit.ts";

/** Makes a build ready when no lease that it uses waits for its values any more. */
export async function markReadyWhenComplete(
  deps: Pick<Deps, "now" | "randomBytes">,
  tables: Tables,
  buildId: string,
): Promise<void> {
  if (await tables.leases.hasUnissued(buildId)) return;
  if (!(await tables.builds.moveState(buildId, ["provisioning"], "ready"))) return;
  const actor = { kind: "system", part: "provisioning" } as const;
  await tables.auditEvents.insertAll([
    auditRow(deps, { actor, action: "build.ready", entity: buildId, details: {} }),
  ]);
}
