import { useState } from "react";
import type { PreviewAnswers } from "../api/calls.ts";
import type { Service } from "../keys/services.ts";
import { listed } from "../ui/prose.tsx";
import { type PreviewGroup, PreviewRows, previewGroups } from "./preview-rows.tsx";

export type PreviewChoiceState = {
  readonly groups: readonly PreviewGroup[];
  readonly answerOf: (group: PreviewGroup) => boolean;
  readonly choose: (group: PreviewGroup, answer: boolean) => void;
  /** By service, as the switch takes them. */
  readonly answers: PreviewAnswers;
};

/** The answers for the services that are about to be switched: what was preselected, and what the person chose. */
export function usePreviewChoice(
  services: readonly Service[],
  isMoved: (service: Service) => boolean,
): PreviewChoiceState {
  const [chosen, setChosen] = useState<Readonly<Record<string, boolean>>>({});
  const groups = previewGroups(services, isMoved);
  const answerOf = (group: PreviewGroup) => chosen[group.id] ?? preselected(group);
  const answers = Object.fromEntries(
    groups.flatMap((group) => group.services.map(({ id }) => [id, answerOf(group)])),
  );
  return {
    groups,
    answerOf,
    choose: (group, answer) => setChosen((before) => ({ ...before, [group.id]: answer })),
    answers,
  };
}

/** What the person answered at an earlier switch; else yes where the data comes along, and as the broker says. */
function preselected({ services, moved }: PreviewGroup): boolean {
  const earlier = services
    .map(({ binding }) => binding.preview?.allowed)
    .find((answer) => answer !== undefined);
  return earlier ?? (moved || services.every(({ binding }) => binding.previewDefault === true));
}

/** The question before the switch. */
export function PreviewChoice({ groups, answerOf, choose }: PreviewChoiceState) {
  return (
    <section aria-labelledby="preview-choice-title" className="space-y-3">
      <h2 id="preview-choice-title" className="text-lg font-semibold text-pretty">
        May the app builder’s preview use your keys until you finish?
      </h2>
      <p className="text-ink-2">
        The preview is the copy of your app that the app builder runs. You can change this after the switch.
        Choosing No cannot undo what the preview has already read.
      </p>
      <PreviewRows groups={groups} answerOf={answerOf} onAnswer={choose} />
    </section>
  );
}

/** The answers in one line, beside the button that switches. */
export function previewSummary({ groups, answerOf }: PreviewChoiceState): string {
  const namesOf = (answer: boolean) =>
    listed(
      groups
        .filter((group) => answerOf(group) === answer)
        .flatMap(({ services }) => services.map(({ label }) => label)),
    );
  const [yes, no] = [namesOf(true), namesOf(false)];
  if (yes === "") return "The app builder’s preview does not get your keys.";
  const rest = no === "" ? "" : `, but not for ${no}`;
  return `The app builder’s preview may use your keys for ${yes}${rest}.`;
}
