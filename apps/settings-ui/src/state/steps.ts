import type { SettingsView } from "@keyloan/contract";
import { isInUse, isWaiting } from "../keys/services.ts";

export const steps = ["start", "keys", "check", "swap", "download", "done"] as const;
export type Step = (typeof steps)[number];

export const stepLabels: Readonly<Record<Step, string>> = {
  start: "Start",
  keys: "Your keys",
  check: "Check",
  swap: "Switch",
  download: "Download",
  done: "Done",
};

type Facts = Pick<SettingsView, "bindings" | "finishedAt"> & {
  readonly person: Pick<SettingsView["person"], "since">;
};

/** Where the saved progress leads: what a reload or a new link opens. */
export function nextStep(settings: Facts): Step {
  if (settings.finishedAt !== undefined) return "done";
  const { bindings } = settings;
  if (bindings.length > 0 && bindings.every((binding) => isInUse(binding, settings.person)))
    return "download";
  if (bindings.length > 0 && bindings.every((binding) => isProven(binding, settings))) return "check";
  return bindings.some(({ saved }) => saved !== undefined) ? "keys" : "start";
}

/** Whether the step can be opened now; the others wait for something that comes before them. */
export function isOpen(step: Step, settings: Facts): boolean {
  if (settings.finishedAt !== undefined) return step === "done";
  const waiting = settings.bindings.some(isWaiting);
  switch (step) {
    case "start":
    case "keys":
      return true;
    case "check":
    case "swap":
      return waiting;
    case "download":
      return settings.bindings.some((binding) => isInUse(binding, settings.person));
    case "done":
      return false;
  }
}

export type StepState = "done" | "current" | "to_come";

/** What the list of steps says of one of them while `current` is shown. */
export function stepState(step: Step, current: Step, settings: Facts): StepState {
  if (step === current) return "current";
  if (settings.finishedAt !== undefined) return "done";
  const reached = steps.indexOf(nextStep(settings));
  return steps.indexOf(step) < Math.max(reached, steps.indexOf(current)) ? "done" : "to_come";
}

type Binding = SettingsView["bindings"][number];

function isProven(binding: Binding, settings: Facts): boolean {
  return isInUse(binding, settings.person) || binding.saved?.check.status === "valid";
}
