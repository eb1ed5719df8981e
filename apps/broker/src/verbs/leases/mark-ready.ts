import { bySystem, type Unit } from "../../change.ts";

/** Makes a build ready when no lease that it uses waits for its values any more. */
export async function markReadyWhenComplete(tx: Unit, buildId: string): Promise<void> {
  if (await tx.leases.hasUnissued(buildId)) return;
  if (!(await tx.builds.moveState(buildId, ["provisioning"], "ready"))) return;
  tx.audit("build.ready", buildId, {}, bySystem("provisioning").actor);
}
