import { BrokerError } from "@keyloan/contract";
import type { SessionRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { auditRow } from "../audit.ts";
import { checkKeys, stopWhenGivenUp } from "./check-keys.ts";
import { boundConnector, editableBuild } from "./editable-build.ts";
import { openUserKey, withDataKey } from "./open-values.ts";
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
  session: SessionRow,
  connectorId: string,
  expectedVersion: number,
  request: { readonly requestId: string; readonly signal: AbortSignal },
): Promise<SavedAnswer> {
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
  const { check, repairs } = await checkKeys(deps, connector, values, request.signal);
  stopWhenGivenUp(request.signal);
  const actor = { kind: "session", sessionId: session.id, buildId: session.buildId } as const;
  await deps.store.write(async (tables) => {
    await takeStep(deps, tables, actor, editable.build);
    await tables.userKeys.recordCheck(row.id, check, deps.now());
    const details = { connector: connectorId, check: check.status };
    const { requestId } = request;
    await tables.auditEvents.insertAll([
      auditRow(deps, { actor, action: "keys.rechecked", entity: session.buildId, details, requestId }),
    ]);
  });
  return { check, repairs, settings: await settingsView(deps, session) };
}
