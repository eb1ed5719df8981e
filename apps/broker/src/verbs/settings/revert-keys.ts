import { type Actor, BrokerError, type SettingsView } from "@keyloan/contract";
import type { SessionRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { auditRow } from "../audit.ts";
import { recordReverted } from "../transfers/switch-transfers.ts";
import { editableBuild, settingsChanged } from "./editable-build.ts";
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
  const ended = (await deps.store.read.leases.listByBuild(build.id)).find(
    ({ id, state }) => state !== "active" && swapped.some(({ leaseId }) => leaseId === id),
  );
  if (ended !== undefined) throw notRevertible("a lent key has ended", "Your own keys stay in use.");
  await deps.store.write(async (tables) => {
    if (!(await tables.builds.changeSettings(build.id, build.settingsVersion, { revertibleUntil: null }))) {
      throw settingsChanged();
    }
    await tables.bindings.revertAll(build.id);
    await recordReverted(deps, tables, build.id);
    if (build.state === "handing_off") await tables.builds.moveState(build.id, ["handing_off"], "ready");
    const { requestId } = request;
    const details = { connectors: swapped.map(({ connectorId }) => connectorId) };
    await tables.auditEvents.insertAll([
      auditRow(deps, { actor, action: "keys.reverted", entity: build.id, details, requestId }),
    ]);
  });
}

function notRevertible(message: string, remedy: string): BrokerError {
  return new BrokerError("not_revertible", message, { remedy });
}
