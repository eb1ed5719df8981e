import { BrokerError, type SettingsView } from "@keyloan/contract";
import type { Deps } from "../../deps.ts";
import type { Visit } from "../handoff/visit.ts";
import { isLendingOver } from "../lending/lending-end.ts";
import { editableBuild, refuseForeignKeys } from "./editable-build.ts";
import { type Answers, changedAnswers } from "./preview-answers.ts";
import { takeStep } from "./take-step.ts";
import { settingsView } from "./views.ts";

/**
 * Changes which of the user's own values the build's env may hold. What was read before cannot be taken back.
 * @throws BrokerError `invalid_input`, `settings_changed`, `conflict` when nothing is lent any more, `not_ready` for what
 * another person left in use, and those of the page's state
 */
export async function changePreview(
  deps: Deps,
  visit: Visit,
  input: { readonly preview: Answers; readonly expectedVersion: number },
): Promise<SettingsView> {
  const editable = await editableBuild(deps, visit.session, input.expectedVersion);
  const { build, bindings } = editable;
  if (isLendingOver(deps.config, build, bindings, deps.now())) {
    throw new BrokerError("conflict", "the preview has ended, and can read nothing any more", {
      remedy: "You do not need to do anything: only you get your keys.",
    });
  }
  // Taking back is anybody's who has the page; lending is not, of what a person before has left in use.
  if (Object.values(input.preview).includes(true)) refuseForeignKeys(editable);
  const transfers = await deps.store.read.transfers.listByBuild(build.id);
  const answers = [...changedAnswers({ ...editable, transfers }, input.preview)];
  await deps.change(visit, [build.id], async (tx) => {
    await takeStep(deps, tx, build);
    for (const wanted of [true, false]) {
      const connectors = answers.flatMap(([id, answer]) => (answer === wanted ? [id] : []));
      await tx.bindings.setPreview(build.id, connectors, wanted);
    }
    tx.audit("preview.changed", build.id, { preview: Object.fromEntries(answers) });
  });
  return settingsView(deps, visit.session);
}
