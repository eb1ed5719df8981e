import { BrokerError, type SettingsView } from "@keyloan/contract";
import type { BuildRow } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import type { Notice } from "../../notify/notice.ts";
import type { Visit } from "../handoff/visit.ts";
import { wayBackEndsAt } from "../lending/lending-end.ts";
import { stillLent } from "../lending/still-lent.ts";
import { recordReverted } from "../transfers/switch-transfers.ts";
import { editableBuild, refuseForeignKeys } from "./editable-build.ts";
import { refuseUnlessAllowed } from "./person-decides.ts";
import { takeStep } from "./take-step.ts";
import { settingsView } from "./views.ts";

/**
 * Lets the app use the lent keys again, as the user asks on the settings page. Their own stay saved.
 * @throws BrokerError as {@link revertBuild} does
 */
export async function revertKeys(deps: Deps, visit: Visit, expectedVersion: number): Promise<SettingsView> {
  refuseForeignKeys(await editableBuild(deps, visit.session, expectedVersion));
  await revertBuild(deps, visit, visit.session.buildId, { expectedVersion });
  return settingsView(deps, visit.session);
}

/**
 * Lets an app use what was lent to it again; the user's own keys stay saved.
 * @param request.expectedVersion of the settings that this was decided on; by default those that are there
 * @param request.reason why the admin does it, which the user reads on the settings page; then they need not allow it
 * @throws BrokerError `person_decides` when a token may not, `not_revertible` when nothing was swapped or the window is
 * over, `settings_changed`
 */
export async function revertBuild(
  deps: Deps,
  by: By,
  buildId: string,
  request: { readonly expectedVersion?: number; readonly reason?: string | undefined },
): Promise<void> {
  const { build, bindings } = await editableBuild(deps, { buildId }, request.expectedVersion);
  const reason = by.actor.kind === "admin" ? request.reason : undefined;
  if (reason === undefined) await refuseUnlessAllowed(deps.store.read, by.actor, buildId, "revert");
  const swapped = bindings.filter(({ source }) => source === "user");
  if (swapped.length === 0) throw notRevertible("nothing was swapped", "The app uses the lent keys already.");
  const now = deps.now();
  const until = wayBackEndsAt(deps.config, build, bindings);
  if (until === undefined || until <= now) {
    throw notRevertible(
      "the time to go back is over",
      "Your own keys stay in use; change them here if one is wrong.",
    );
  }
  const [leases, transfers] = await Promise.all([
    deps.store.read.leases.listByBuild(buildId),
    deps.store.read.transfers.listByBuild(buildId),
  ]);
  const returning = stillLent({ bindings, leases, transfers });
  if (returning.length === 0) throw notRevertible("a lent key has ended", "Your own keys stay in use.");
  await deps.change(by, [build.id], async (tx) => {
    const adminRevert = reason === undefined ? {} : { adminRevert: { at: now, reason } };
    const changes = { revertibleUntil: null, downloadedAt: null, ...adminRevert };
    await takeStep(deps, tx, build, changes);
    const connectors = returning.map(({ connectorId }) => connectorId);
    await tx.bindings.revert(build.id, connectors);
    await tx.userKeys.removeLeftBehind(build.id);
    await recordReverted(deps, tx, build.id, connectors);
    const whole = returning.length === swapped.length;
    if (whole && build.state === "handing_off") await tx.builds.moveState(build.id, ["handing_off"], "ready");
    tx.audit("keys.reverted", build.id, { connectors, ...(reason === undefined ? {} : { reason }) });
    if (reason !== undefined) tx.notice(adminNotice(build));
  });
}

/** Without the reason: it is for who sees the page and the audit. */
function adminNotice({ id }: BuildRow): Notice {
  const message = `The admin let ${id} use its lent keys again, with a reason that its user reads on the settings page.`;
  return { type: "keys.reverted", message, buildId: id };
}

function notRevertible(message: string, remedy: string): BrokerError {
  return new BrokerError("not_revertible", message, { remedy });
}
