import { BrokerError, type SettingsView, type TokenPermission } from "@keyloan/contract";
import type { Deps } from "../../deps.ts";
import type { Visit } from "../handoff/visit.ts";
import { editableBuild } from "../settings/editable-build.ts";
import { takeStep } from "../settings/take-step.ts";
import { settingsView } from "../settings/views.ts";

/**
 * What the platform's tokens may do with the person's values from now on, instead of what they might before.
 * @throws BrokerError `conflict` before the first save, `settings_changed`, and those of the page's state
 */
export async function allowTokens(
  deps: Deps,
  visit: Visit,
  input: { readonly tokensMay: readonly TokenPermission[]; readonly expectedVersion: number },
): Promise<SettingsView> {
  const { build, person } = await editableBuild(deps, visit.session, input.expectedVersion);
  if (person === undefined) {
    throw new BrokerError("conflict", "nothing of yours is saved here yet", {
      remedy: "Save your own keys first: until then a token has nothing that it could use.",
    });
  }
  const tokensMay = [...new Set(input.tokensMay)];
  await deps.change(visit, [build.id], async (tx) => {
    await takeStep(deps, tx, build);
    await tx.persons.allow(person.id, tokensMay);
    tx.audit("person.tokens_allowed", build.id, { tokensMay });
  });
  return settingsView(deps, visit.session);
}
