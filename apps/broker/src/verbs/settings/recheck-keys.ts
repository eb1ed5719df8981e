import { BrokerError } from "@keyloan/contract";
import type { Deps } from "../../deps.ts";
import { withDataKey } from "../../sealing/data-key.ts";
import { openUserKey } from "../../sealing/user-keys.ts";
import type { Visit } from "../handoff/visit.ts";
import { checkKeys, stopWhenGivenUp } from "./check-keys.ts";
import { boundConnector, editableBuild } from "./editable-build.ts";
import type { SavedAnswer } from "./save-keys.ts";
import { takeStep } from "./take-step.ts";
import { settingsView } from "./views.ts";

/**
 * Asks the provider again about the newest saved keys of a connector and keeps the answer: what could not be
 * checked when it was saved is not typed twice.
 * @throws BrokerError `not_found` when nothing is saved, `settings_changed`, and those of the page's state
 */
export async function recheckKeys(
  deps: Deps,
  visit: Visit,
  connectorId: string,
  expectedVersion: number,
  signal: AbortSignal,
): Promise<SavedAnswer> {
  const { session } = visit;
  const editable = await editableBuild(deps, session, expectedVersion);
  const connector = boundConnector(deps, editable, connectorId);
  const row = editable.userKeys.find((saved) => saved.connectorId === connectorId);
  if (row === undefined) {
    throw new BrokerError("not_found", "no keys of yours are saved here", {
      remedy: "Save your own keys first.",
    });
  }
  const saved = await withDataKey(deps, session.buildId, (key) => openUserKey(key, row.id, row.env));
  const typed = new Set(Object.keys(row.previews));
  const values = Object.fromEntries(Object.entries(saved).filter(([name]) => typed.has(name)));
  const { check, repairs } = await checkKeys(deps, connector, values, signal);
  stopWhenGivenUp(signal);
  await deps.change(visit, [session.buildId], async (tx) => {
    await takeStep(deps, tx, editable.build);
    await tx.userKeys.recordCheck(row.id, check, deps.now());
    tx.audit("keys.rechecked", session.buildId, { connector: connectorId, check: check.status });
  });
  return { check, repairs, settings: await settingsView(deps, session) };
}
