import { BrokerError, type SettingsView } from "@keyloan/contract";
import type { SessionRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { auditRow } from "../audit.ts";
import { recordReverted } from "../transfers/switch-transfers.ts";
import { editableBuild, settingsChanged } from "./editable-build.ts";
import { settingsView } from "./views.ts";

/**
 * Lets the app use the lent keys again. The user's own stay saved.
 * @throws BrokerError `not_revertible` when nothing was swapped or the window is over, `settings_changed`
 */
export async function revertKeys(
  deps: Deps,
  session: SessionRow,
  expectedVersion: number,
  requestId: string,
): Promise<SettingsView> {
  const { build, bindings } = await editableBuild(deps, session, expectedVersion);
  const swapped = bindings.filter(({ source }) => source === "user");
  if (swapped.length === 0) throw notRevertible("nothing was swapped", "The app uses the lent keys already.");
  if (build.revertibleUntil === null || build.revertibleUntil <= deps.now()) {
    throw notRevertible(
      "the time to go back is over",
      "Your own keys stay in use; change them here if one is wrong.",
    );
  }
  const ended = (await deps.store.read.leases.listByBuild(build.id)).find(
    ({ state, connectorId }) =>
      state !== "active" && swapped.some((binding) => binding.connectorId === connectorId),
  );
  if (ended !== undefined) throw notRevertible("a lent key has ended", "Your own keys stay in use.");
  await deps.store.write(async (tables) => {
    if (!(await tables.builds.changeSettings(build.id, expectedVersion, { revertibleUntil: null }))) {
      throw settingsChanged();
    }
    await tables.bindings.revertAll(build.id);
    await recordReverted(deps, tables, build.id);
    if (build.state === "handing_off") await tables.builds.moveState(build.id, ["handing_off"], "ready");
    const actor = { kind: "session", sessionId: session.id, buildId: build.id } as const;
    const details = { connectors: swapped.map(({ connectorId }) => connectorId) };
    await tables.auditEvents.insertAll([
      auditRow(deps, { actor, action: "keys.reverted", entity: build.id, details, requestId }),
    ]);
  });
  return settingsView(deps, session);
}

function notRevertible(message: string, remedy: string): BrokerError {
  return new BrokerError("not_revertible", message, { remedy });
}
