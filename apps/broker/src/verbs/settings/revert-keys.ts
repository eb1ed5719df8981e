import { BrokerError, limits, ProviderError, type SettingsView } from "@keyloan/contract";
import type { BindingRow, BuildRow, Tables } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import type { Notice } from "../../notify/notice.ts";
import { describeError } from "../../observe/logger.ts";
import { keepAliveUntil } from "../builds/keep-alive.ts";
import type { Visit } from "../handoff/visit.ts";
import { revertWindowMs, wayBackEndsAt } from "../lending/lending-end.ts";
import { stillLent } from "../lending/still-lent.ts";
import { recordReverted } from "../transfers/switch-transfers.ts";
import { type EditableBuild, editableBuild, foreignKeys, refuseForeignKeys } from "./editable-build.ts";
import { refuseUnlessAllowed } from "./person-decides.ts";
import { takeStep } from "./take-step.ts";
import { settingsView } from "./views.ts";

/**
 * Lets the app use the lent keys again, as the user asks on the settings page. Their own stay saved.
 * @throws BrokerError as {@link revertBuild} does
 */
export async function revertKeys(deps: Deps, visit: Visit, expectedVersion: number): Promise<SettingsView> {
  await revertBuild(deps, visit, visit.session.buildId, { expectedVersion });
  return settingsView(deps, visit.session);
}

/**
 * Lets an app use what was lent to it again, renewed where that can be had; the user's own keys stay saved.
 * @param request.expectedVersion of the settings that this was decided on; by default those that are there
 * @param request.reason why the admin does it, which the user reads on the settings page; then they need not allow it
 * @throws BrokerError `person_decides` when a token may not, `not_ready` while the app uses what a person who was
 * replaced has saved, `not_revertible` when nothing was swapped or the window is over, `settings_changed`
 */
export async function revertBuild(
  deps: Deps,
  by: By,
  buildId: string,
  request: { readonly expectedVersion?: number; readonly reason?: string | undefined },
): Promise<void> {
  const editable = await editableBuild(deps, { buildId }, request.expectedVersion);
  const reason = by.actor.kind === "admin" ? request.reason : undefined;
  if (reason === undefined) {
    await refuseUnlessAllowed(deps.store.read, by.actor, buildId, "revert");
    refuseForeignKeys(editable);
  }
  await requireWayBack(deps, deps.store.read, editable);
  await renewLent(deps, by, buildId);
  await goBack(deps, by, editable, reason);
}

/**
 * The change itself, whoever may ask for it. No provider is asked.
 * @throws BrokerError `not_revertible`, `settings_changed`
 */
export async function goBack(deps: Deps, by: By, editable: EditableBuild, reason?: string): Promise<void> {
  const { build } = editable;
  const now = deps.now();
  await deps.change(by, [build.id], async (tx) => {
    const returning = await requireWayBack(deps, tx, editable);
    const adminRevert = reason === undefined ? {} : { adminRevert: { at: now, reason } };
    const changes = { revertibleUntil: null, downloadedAt: null, ...adminRevert };
    await takeStep(deps, tx, build, changes);
    const connectors = returning.map(({ connectorId }) => connectorId);
    await tx.bindings.revert(build.id, connectors);
    await tx.userKeys.removeLeftBehind(build.id);
    await recordReverted(deps, tx, build.id, connectors);
    const deleted = foreignKeys(editable).filter((id) => connectors.includes(id));
    tx.audit("keys.reverted", build.id, {
      connectors,
      ...(reason === undefined ? {} : { reason }),
      ...(deleted.length === 0 ? {} : { deletedOfReplacedPerson: deleted }),
    });
    if (reason !== undefined) tx.notice(adminNotice(build, deleted));
  });
}

/** @returns what can go back to what was lent now. @throws BrokerError `not_revertible` */
async function requireWayBack(
  deps: Deps,
  tables: Pick<Tables, "leases" | "transfers">,
  { build, bindings }: EditableBuild,
): Promise<readonly BindingRow[]> {
  if (!bindings.some(({ source }) => source === "user"))
    throw notRevertible("nothing was swapped", "The app already uses the lent keys.");
  const until = wayBackEndsAt(deps.config, build, bindings);
  if (until === undefined || until <= deps.now()) {
    throw notRevertible(
      "the time to go back is over",
      "Your own keys stay in use; change them here if one is wrong.",
    );
  }
  const leases = await tables.leases.listByBuild(build.id);
  const transfers = await tables.transfers.listByBuild(build.id);
  const returning = stillLent({ bindings, leases, transfers });
  if (returning.length === 0) throw notRevertible("a lent key has ended", "Your own keys stay in use.");
  return returning;
}

/**
 * What is gone back to works for as long as a switch would promise it, and a day at least. Going back is for when
 * something is broken already, so it does not fail with what cannot be renewed: the page tells when that ends.
 */
async function renewLent(deps: Deps, by: By, buildId: string): Promise<void> {
  const ms = Math.max(revertWindowMs(deps.config), limits.ttlSecondsDefault * 1000);
  try {
    await keepAliveUntil(deps, by, buildId, deps.now() + ms);
  } catch (error) {
    if (!(error instanceof BrokerError || error instanceof ProviderError)) throw error;
    deps.logger.warn({ buildId, ...describeError(error) }, "what was lent could not be renewed");
  }
}

/** Without the reason: it is for who sees the page and the audit. */
function adminNotice({ id }: BuildRow, deleted: readonly string[]): Notice {
  const went = `The admin let ${id} use its lent keys again, with a reason that its user can read on the settings page.`;
  const message =
    deleted.length === 0
      ? went
      : `${went} Keys of a person whom somebody had replaced by starting over were still in use and are deleted: ${deleted.join(", ")}.`;
  return { type: "keys.reverted", message, buildId: id };
}

function notRevertible(message: string, remedy: string): BrokerError {
  return new BrokerError("not_revertible", message, { remedy });
}
