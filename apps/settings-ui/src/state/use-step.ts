import type { SettingsView } from "@keyloan/contract";
import { useCallback, useEffect, useState } from "react";
import { isOpen, nextStep, type Step, steps } from "./steps.ts";

/**
 * The step that is shown. It stands in the address, so that back, forward and reload do what they always do; a
 * step that cannot be opened yet gives way to where the saved progress leads.
 */
export function useStep(settings: SettingsView): readonly [Step, (step: Step) => void] {
  const [wanted, setWanted] = useState(readStep);
  useEffect(() => {
    const follow = () => setWanted(readStep());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  const go = useCallback((step: Step) => {
    location.hash = step;
    setWanted(step);
  }, []);
  const step = wanted !== undefined && isOpen(wanted, settings) ? wanted : nextStep(settings);
  useEffect(() => {
    if (wanted !== step) history.replaceState(null, "", `#${step}`);
  }, [wanted, step]);
  return [step, go];
}

function readStep(): Step | undefined {
  return steps.find((step) => location.hash === `#${step}`);
}
