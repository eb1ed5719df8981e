import { BrokerError, type SettingsView, type TokenPermission } from "@keyloan/contract";
import type { SessionRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { auditRow } from "../audit.ts";
import { editableBuild } from "../settings/editable-build.ts";
import { takeStep } from "../settings/take-step.ts";
import { settingsView } from "../settings/views.ts";

/**
 * What the platform's tokens may do with the person's values from now on, instead of what they might before.
 * @throws BrokerError `conflict` before the first save, `settings_changed`, and those of the page's state
 */
export async function allowTokens(
  deps: Deps,
  session: SessionRow,
  input: { readonly tokensMay: readonly TokenPermission[]; readonly expectedVersion: number },
  requestId: string,
): Promise<SettingsView> {
  const { build, person } = await editableBuild(deps, session, input.expectedVersion);
  if (person === undefined) {
    throw new BrokerError("conflict", "nothing of yours is saved here yet", {
      remedy: "Save your own keys first: until then there is nothing that a token could act with.",
    });
  }
  const tokensMay = [...new Set(input.tokensMay)];
  const actor = { kind: "session", sessionId: session.id, buildId: build.id } as const;
  await deps.store.write(async (tables) => {
    await takeStep(deps, tables, actor, build);
    await tables.persons.allow(person.id, tokensMay);
    const details = { tokensMay };
    await tables.auditEvents.insertAll([
      auditRow(deps, { actor, action: "person.tokens_allowed", entity: build.id, details, requestId }),
    ]);
  });
  return settingsView(deps, session);
}
