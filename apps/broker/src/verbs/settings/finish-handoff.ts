import { BrokerError, type SettingsView } from "@keyloan/contract";
import type { Deps } from "../../deps.ts";
import type { Visit } from "../handoff/visit.ts";
import { keepFromPreview } from "../lending/end-lending.ts";
import { refuseWaiting } from "../person/ask-start-over.ts";
import { personOnly } from "../person/standing.ts";
import { editableBuild, refuseForeignKeys, settingsChanged } from "./editable-build.ts";
import { takeStep } from "./take-step.ts";
import { settingsView } from "./views.ts";

/** What was lent, and the user's own values, stay at least so long: time to download the file once more. */
const graceMs = 3_600_000;

/**
 * Ends the handoff: the build's tokens and every visit but the person's die now, and what was lent ends with the
 * revert window. The env file can be downloaded until then.
 * @throws BrokerError `not_ready` while a connector still uses lent keys, `settings_changed`
 */
export async function finishHandoff(
  deps: Deps,
  visit: Visit,
  expectedVersion: number,
): Promise<SettingsView> {
  const editable = await editableBuild(deps, visit.session, expectedVersion);
  const { build, bindings, person } = editable;
  const lent = bindings.filter(({ source }) => source === "org").map(({ connectorId }) => connectorId);
  if (lent.length > 0) {
    throw new BrokerError("not_ready", `still lent: ${lent.join(", ")}`, {
      remedy: "Swap in your own keys for everything the app uses first.",
      details: { lent },
    });
  }
  refuseForeignKeys(editable);
  if (person === undefined) throw personOnly();
  const now = deps.now();
  await deps.change(visit, [build.id], async (tx) => {
    const changes = { finishedAt: now, revertibleUntil: Math.max(build.revertibleUntil ?? 0, now + graceMs) };
    await takeStep(deps, tx, build, changes);
    if (!(await tx.builds.moveState(build.id, ["handing_off"], "handed_off"))) throw settingsChanged();
    await tx.tokens.revokeByBuild(build.id, now);
    await keepFromPreview(tx, build.id);
    await tx.sessions.endOthers(build.id, person.id, now);
    await refuseWaiting(deps, tx, build.id);
    tx.audit("handoff.finished", build.id);
  });
  return settingsView(deps, visit.session);
}
