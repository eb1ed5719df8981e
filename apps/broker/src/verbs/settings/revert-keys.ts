import { type Actor, BrokerError, type SettingsView } from "@keyloan/contract";
import type { BindingRow, SessionRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { auditRow } from "../audit.ts";
import { recordReverted } from "../transfers/switch-transfers.ts";
import { editableBuild, refuseForeignKeys, settingsChanged } from "./editable-build.ts";
import { settingsView } from "./views.ts";

/**
 * Lets the app use the lent keys again, as the user asks on the settings page. Their own stay saved.
 * @throws BrokerError as {@link revertBuild} does
 */
export async function revertKeys(
  deps: Deps,
  session: SessionRow,
  expectedVersion: number,
  requestId: string,
): Promise<SettingsView> {
  refuseForeignKeys(await editableBuild(deps, session, expectedVersion));
  const actor = { kind: "session", sessionId: session.id, buildId: session.buildId } as const;
  await revertBuild(deps, actor, session.buildId, { expectedVersion, requestId });
  return settingsView(deps, session);
}

/**
 * Lets an app use what was lent to it again; the user's own keys stay saved.
 * @param request.expectedVersion of the settings that this was decided on; by default those that are there
 * @throws BrokerError `not_revertible` when nothing was swapped or the window is over, `settings_changed`
 */
export async function revertBuild(
  deps: Deps,
  actor: Actor,
  buildId: string,
  request: { readonly expectedVersion?: number; readonly requestId: string },
): Promise<void> {
  const { build, bindings } = await editableBuild(deps, { buildId }, request.expectedVersion);
  const swapped = bindings.filter(({ source }) => source === "user");
  if (swapped.length === 0) throw notRevertible("nothing was swapped", "The app uses the lent keys already.");
  if (build.revertibleUntil === null || build.revertibleUntil <= deps.now()) {
    throw notRevertible(
      "the time to go back is over",
      "Your own keys stay in use; change them here if one is wrong.",
    );
  }
  const returning = await stillLent(deps, build.id, swapped);
  await deps.store.write(async (tables) => {
    if (!(await tables.builds.changeSettings(build.id, build.settingsVersion, { revertibleUntil: null }))) {
      throw settingsChanged();
    }
    const connectors = returning.map(({ connectorId }) => connectorId);
    await tables.bindings.revert(build.id, connectors);
    await tables.userKeys.removeLeftBehind(build.id);
    await recordReverted(deps, tables, build.id, connectors);
    const whole = returning.length === swapped.length;
    if (whole && build.state === "handing_off")
      await tables.builds.moveState(build.id, ["handing_off"], "ready");
    const { requestId } = request;
    const details = { connectors };
    await tables.auditEvents.insertAll([
      auditRow(deps, { actor, action: "keys.reverted", entity: build.id, details, requestId }),
    ]);
  });
}

/**
 * Those of the swapped that can go back. What was moved and whose own window ended before is given back for good,
 * and stays with the user.
 * @throws BrokerError `not_revertible` when something else has ended, or everything
 */
async function stillLent(
  deps: Deps,
  buildId: string,
  swapped: readonly BindingRow[],
): Promise<readonly BindingRow[]> {
  const [leases, transfers] = await Promise.all([
    deps.store.read.leases.listByBuild(buildId),
    deps.store.read.transfers.listByBuild(buildId),
  ]);
  const isMoved = ({ leaseId }: BindingRow) =>
    transfers.some((row) => row.leaseId === leaseId && row.state === "switched");
  const isLent = ({ leaseId }: BindingRow) =>
    leases.some(({ id, state }) => id === leaseId && state === "active");
  const returning = swapped.filter(isLent);
  if (returning.length > 0 && swapped.every((binding) => isLent(binding) || isMoved(binding)))
    return returning;
  throw notRevertible("a lent key has ended", "Your own keys stay in use.");
}

function notRevertible(message: string, remedy: string): BrokerError {
  return new BrokerError("not_revertible", message, { remedy });
}
