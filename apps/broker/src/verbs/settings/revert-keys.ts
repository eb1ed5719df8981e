import { type Actor, BrokerError, type SettingsView } from "@keyloan/contract";
import type { BuildRow, SessionRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { noticeJob } from "../../notify/notice.ts";
import { auditRow } from "../audit.ts";
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

type Request = {
  readonly expectedVersion?: number;
  readonly reason?: string | undefined;
  readonly requestId: string;
};

/**
 * Lets an app use what was lent to it again; the user's own keys stay saved.
 * @param request.expectedVersion of the settings that this was decided on; by default those that are there
 * @param request.reason why the admin does it, which the user reads on the settings page; then they need not allow it
 * @throws BrokerError `person_decides` when a token may not, `not_revertible` when nothing was swapped or the window is
 * over, `settings_changed`
 */
export async function revertBuild(
  deps: Deps,
  actor: Actor,
  buildId: string,
  request: Request,
): Promise<void> {
  const { build, bindings } = await editableBuild(deps, { buildId }, request.expectedVersion);
  const reason = actor.kind === "admin" ? request.reason : undefined;
  if (reason === undefined) await refuseUnlessAllowed(deps.store.read, actor, buildId, "revert");
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
  await deps.store.write(async (tables) => {
    const adminRevert = reason === undefined ? {} : { adminRevert: { at: now, reason } };
    const changes = { revertibleUntil: null, downloadedAt: null, ...adminRevert };
    await takeStep(deps, tables, actor, build, changes);
    const connectors = returning.map(({ connectorId }) => connectorId);
    await tables.bindings.revert(build.id, connectors);
    await tables.userKeys.removeLeftBehind(build.id);
    await recordReverted(deps, tables, build.id, connectors);
    const whole = returning.length === swapped.length;
    if (whole && build.state === "handing_off")
      await tables.builds.moveState(build.id, ["handing_off"], "ready");
    const { requestId } = request;
    const details = { connectors, ...(reason === undefined ? {} : { reason }) };
    await tables.auditEvents.insertAll([
      auditRow(deps, { actor, action: "keys.reverted", entity: build.id, details, requestId }),
    ]);
    if (reason !== undefined) await tables.jobs.insertAll([adminNotice(deps, build)]);
  });
}

/** Without the reason: it is for who sees the page and the audit. */
function adminNotice(deps: Deps, { id }: BuildRow) {
  const message = `The admin let ${id} use its lent keys again, with a reason that its user reads on the settings page.`;
  return noticeJob(deps, { type: "keys.reverted", message, buildId: id });
}

function notRevertible(message: string, remedy: string): BrokerError {
  return new BrokerError("not_revertible", message, { remedy });
}
