import type { SettingsView } from "@keyloan/contract";
import { isOpen, type Step, stepLabels, stepState, steps } from "../state/steps.ts";
import { classes } from "../ui/classes.ts";
import { Icon } from "../ui/icon.tsx";

const stateWords = { done: "done", current: "current", to_come: "to come" } as const;

/** The whole way as a list: what is done, where one is, what comes. What can be opened is a link. */
export function StepList({ current, settings }: { readonly current: Step; readonly settings: SettingsView }) {
  return (
    <nav aria-label="Steps">
      <p className="mb-2 text-sm text-ink-2 rail:hidden">
        Step {steps.indexOf(current) + 1} of {steps.length}: {stepLabels[current]}
      </p>
      <ol className="flex gap-1 rail:flex-col rail:gap-0.5">
        {steps.map((step) => {
          const state = stepState(step, current, settings);
          const content = <StepMark step={step} state={state} />;
          return (
            <li key={step} className="flex-1">
              {state !== "current" && isOpen(step, settings) ? (
                <a href={`#${step}`} className="block rounded-control hover:text-ink rail:hover:bg-sunken">
                  {content}
                </a>
              ) : (
                <span className="block" aria-current={state === "current" ? "step" : undefined}>
                  {content}
                </span>
              )}
            </li>
          );
        })}
      </ol>
    </nav>
  );
}

function StepMark({ step, state }: { readonly step: Step; readonly state: keyof typeof stateWords }) {
  return (
    <>
      {/* Narrow: one bar per step; the words are read out. */}
      <span className="flex min-h-6 items-center rail:hidden">
        <span
          className={classes(
            "h-1.5 w-full rounded-full",
            state === "current" ? "bg-accent" : state === "done" ? "bg-good" : "bg-edge/40",
          )}
        />
      </span>
      <span
        className={classes(
          "sr-only rail:not-sr-only! rail:flex! rail:min-h-9 rail:items-center rail:gap-3 rail:px-2",
          state === "current" ? "font-semibold text-ink" : "text-ink-2",
        )}
      >
        <span
          className={classes(
            "grid size-6 shrink-0 place-items-center rounded-full border text-xs font-semibold tabular-nums",
            state === "current" && "border-accent bg-accent text-on-accent",
            state === "done" && "border-good bg-good-soft text-good",
            state === "to_come" && "border-line text-ink-3",
          )}
          aria-hidden="true"
        >
          {state === "done" ? <Icon name="check" className="size-3.5" /> : steps.indexOf(step) + 1}
        </span>
        {stepLabels[step]}
        <span className="sr-only"> ({stateWords[state]})</span>
      </span>
    </>
  );
}
