import { BrokerError, type KeySubmission, newId, type Secret, type SettingsView } from "@keyloan/contract";
import type { UserKeyRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { withDataKey } from "../../sealing/data-key.ts";
import { sealUserKey } from "../../sealing/user-keys.ts";
import type { Visit } from "../handoff/visit.ts";
import { type Became, type Browser, becomePerson, keepBrowser } from "../person/become-person.ts";
import { refuseWhileMoving } from "../transfers/switch-transfers.ts";
import { type CheckedKeys, checkKeys, generateOwn, stopWhenGivenUp } from "./check-keys.ts";
import { boundConnector, editableBuild } from "./editable-build.ts";
import { openSubmittedValues, previewsOf } from "./open-values.ts";
import { takeStep } from "./take-step.ts";
import { settingsView } from "./views.ts";

export type SavedAnswer = Pick<CheckedKeys, "check" | "repairs"> & {
  readonly settings: SettingsView;
  /** The first save has made its visitor the person of the build. */
  readonly became?: Became | undefined;
  /** For a browser that could not prove the person yet. */
  readonly personCookie?: Secret | undefined;
};

/**
 * Checks a user's values once more and seals them. What the provider refuses is not kept; what could not be
 * checked is kept, and a swap waits for it. The first save makes its session the person of the build.
 * @throws BrokerError `key_rejected` with the check, `settings_changed`, `person_only`, and those of the page's state
 */
export async function saveKeys(
  deps: Deps,
  visit: Visit,
  connectorId: string,
  input: { readonly submission: KeySubmission; readonly expectedVersion: number },
  request: { readonly signal: AbortSignal; readonly browser: Browser | undefined },
): Promise<SavedAnswer> {
  const { session } = visit;
  const editable = await editableBuild(deps, session, input.expectedVersion);
  const connector = boundConnector(deps, editable, connectorId);
  await refuseWhileMoving(deps, session.buildId, connectorId);
  const { values: given, way } = await openSubmittedValues(deps, session, input.submission);
  const { values, check, repairs } = await checkKeys(deps, connector, given, request.signal);
  stopWhenGivenUp(request.signal);
  if (check.status === "invalid") {
    throw new BrokerError("key_rejected", check.message, {
      remedy: check.remedy,
      details: { check, repairs },
    });
  }
  const complete = { ...values, ...generateOwn(deps, connector) };
  const secretNames = new Set(connector.spec.env.filter(({ secret }) => secret).map(({ name }) => name));
  const id = newId("userKey", deps.randomBytes);
  const now = deps.now();
  const unowned: Omit<UserKeyRow, "personId"> = {
    id,
    buildId: session.buildId,
    connectorId,
    env: await withDataKey(deps, session.buildId, (key) => sealUserKey(key, id, complete)),
    previews: previewsOf(values, secretNames),
    fingerprint: deps.fingerprint.ofValues(complete),
    check,
    savedAt: now,
    checkedAt: now,
  };
  const { userKeys, keysInUse } = editable;
  const replaced = userKeys.filter((old) => old.connectorId === connectorId && !keysInUse.includes(old));
  const { became, personCookie } = await deps.change(visit, [session.buildId], async (tx) => {
    const person = await takeStep(deps, tx, editable.build);
    const became = person === undefined ? await becomePerson(deps, tx, session) : undefined;
    const owner = person ?? became?.person;
    const personCookie =
      owner === undefined ? undefined : await keepBrowser(deps, tx, owner, session, request.browser);
    for (const old of replaced) await tx.userKeys.remove(session.buildId, old.id);
    await tx.userKeys.insert({ ...unowned, personId: owner?.id ?? null });
    const details = { connector: connectorId, way, names: Object.keys(complete), check: check.status };
    tx.audit("keys.saved", session.buildId, details);
    return { became, personCookie };
  });
  const proven = became === undefined ? session : { ...session, personId: became.person.id };
  const settings = await settingsView(deps, proven);
  return { check, repairs, settings, became, personCookie };
}

/**
 * Forgets the values a user saved for a connector and that are not in use.
 * @throws BrokerError `conflict` when the app uses them, `not_found` when there are none
 */
export async function removeKeys(
  deps: Deps,
  visit: Visit,
  connectorId: string,
  expectedVersion: number,
): Promise<SettingsView> {
  const { session } = visit;
  const editable = await editableBuild(deps, session, expectedVersion);
  boundConnector(deps, editable, connectorId);
  await refuseWhileMoving(deps, session.buildId, connectorId);
  const own = editable.userKeys.filter((row) => row.connectorId === connectorId);
  const removable = own.filter((row) => !editable.keysInUse.includes(row));
  if (removable.length === 0) {
    throw own.length > 0
      ? new BrokerError("conflict", "the app uses these keys now", {
          remedy: "Go back to the lent keys first.",
        })
      : new BrokerError("not_found", "no keys are saved here", { remedy: "You do not need to do anything." });
  }
  await deps.change(visit, [session.buildId], async (tx) => {
    await takeStep(deps, tx, editable.build);
    for (const { id } of removable) await tx.userKeys.remove(session.buildId, id);
    tx.audit("keys.removed", session.buildId, { connector: connectorId });
  });
  return settingsView(deps, session);
}
