import { type ReactNode, useId } from "react";
import type { Service } from "../keys/services.ts";

/** Services that get one answer: those whose data was moved belong together, every other stands alone. */
export type PreviewGroup = {
  readonly id: string;
  readonly services: readonly Service[];
  readonly moved: boolean;
};

export function previewGroups(
  services: readonly Service[],
  isMoved: (service: Service) => boolean,
): PreviewGroup[] {
  const moved = services.filter(isMoved);
  const alone = services.filter((service) => !isMoved(service));
  return [
    ...(moved.length === 0 ? [] : [{ id: "moved", services: moved, moved: true }]),
    ...alone.map((service) => ({ id: service.id, services: [service], moved: false })),
  ];
}

/** One question for each group, with what each answer does. */
export function PreviewRows({
  groups,
  answerOf,
  noteOf,
  onAnswer,
}: {
  readonly groups: readonly PreviewGroup[];
  readonly answerOf: (group: PreviewGroup) => boolean;
  readonly noteOf?: (group: PreviewGroup) => ReactNode;
  readonly onAnswer: (group: PreviewGroup, answer: boolean) => void;
}) {
  return (
    <ul className="divide-y divide-line rounded-card border border-line bg-surface">
      {groups.map((group) => (
        <li key={group.id} className="px-4 py-3 sm:px-5">
          <Row group={group} answer={answerOf(group)} onAnswer={(answer) => onAnswer(group, answer)}>
            {noteOf?.(group)}
          </Row>
        </li>
      ))}
    </ul>
  );
}

function Row({
  group,
  answer,
  onAnswer,
  children,
}: {
  readonly group: PreviewGroup;
  readonly answer: boolean;
  readonly onAnswer: (answer: boolean) => void;
  readonly children: ReactNode;
}) {
  const name = useId();
  const meanings = meaningsOf(group);
  return (
    <fieldset
      aria-labelledby={`${name}-title`}
      aria-describedby={`${name}-means`}
      className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2"
    >
      <div className="min-w-0 flex-1 basis-60 break-words">
        <p id={`${name}-title`} className="font-medium">
          {group.services.map(({ label }) => label).join(" and ")}
        </p>
        <div id={`${name}-means`} className="space-y-1 text-sm text-ink-2">
          <p>
            <span className="font-medium text-ink">Yes:</span> {meanings.yes}
          </p>
          <p>
            <span className="font-medium text-ink">No:</span> {meanings.no}
          </p>
        </div>
        {children}
      </div>
      <div className="flex gap-2">
        <Answer name={name} label="Yes" checked={answer} onChoose={() => onAnswer(true)} />
        <Answer name={name} label="No" checked={!answer} onChoose={() => onAnswer(false)} />
      </div>
    </fieldset>
  );
}

function Answer({
  name,
  label,
  checked,
  onChoose,
}: {
  readonly name: string;
  readonly label: string;
  readonly checked: boolean;
  readonly onChoose: () => void;
}) {
  return (
    <label className="flex min-h-10 items-center gap-2 rounded-control border border-edge bg-surface px-3 transition-colors has-checked:border-accent has-checked:bg-accent-soft has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent">
      <input
        type="radio"
        name={name}
        checked={checked}
        onChange={onChoose}
        className="size-4 accent-accent outline-none"
      />
      {label}
    </label>
  );
}

function meaningsOf({ services, moved }: PreviewGroup): { readonly yes: string; readonly no: string } {
  if (moved) {
    return {
      yes: "the preview shows your data where it is now, in your accounts.",
      no: "the preview shows the old data and cannot save.",
    };
  }
  const mode = services.map(modeOf).find((known) => known !== undefined);
  const keys = mode === undefined ? "your keys" : `your ${mode} keys`;
  return {
    yes: `the preview uses ${keys} in your account, and code that nobody has reviewed can see them.`,
    no: `the preview does not get ${keys}. It keeps the lent ones.`,
  };
}

function modeOf({ binding: { saved } }: Service): string | undefined {
  return saved?.check.status === "valid" ? saved.check.mode : undefined;
}
