import type { SwapResult } from "@keyloan/contract";
import { useCallback, useEffect, useState } from "react";
import { swap } from "../api/calls.ts";
import { type Failure, RequestError } from "../api/request.ts";
import { useSettings } from "../state/settings.tsx";
import { useAnnounce } from "../ui/live-region.tsx";

export type GateAnswer = SwapResult["gates"][number];

export type Gates =
  | { readonly kind: "asking" }
  | { readonly kind: "answered"; readonly results: readonly GateAnswer[] }
  | { readonly kind: "failed"; readonly failure: Failure };

/** Asks whether everything fits together, without changing anything, and again whenever the settings changed. */
export function useGates(): readonly [Gates, () => void] {
  const { settings, latest, settle } = useSettings();
  const announce = useAnnounce();
  const [gates, setGates] = useState<Gates>({ kind: "asking" });
  const ask = useCallback(async () => {
    setGates({ kind: "asking" });
    try {
      const { gates: results } = await swap({ dryRun: true, expectedVersion: latest().version });
      setGates({ kind: "answered", results });
      announce(spokenGates(results));
    } catch (error) {
      const failure = await settle(error);
      if (failure !== undefined) setGates({ kind: "failed", failure });
    }
  }, [announce, latest, settle]);
  // Another version is another question.
  useEffect(() => {
    ask();
  }, [ask, settings.version]);
  return [gates, ask];
}

/** The results of gates in an error's details, as the swap is documented to answer `gates_failed`. */
export function readGates(error: unknown): readonly GateAnswer[] | undefined {
  if (!(error instanceof RequestError) || error.failure.code !== "gates_failed") return undefined;
  const { gates } = (error.failure.details ?? {}) as { gates?: readonly GateAnswer[] };
  return gates;
}

function spokenGates(results: readonly GateAnswer[]): string {
  const failed = results.filter(({ status }) => status === "fail").length;
  if (failed > 0)
    return `You need to fix ${failed} ${failed === 1 ? "thing" : "things"} before you can switch.`;
  const warned = results.filter(({ status }) => status === "warn").length;
  return warned > 0
    ? "You can switch. Please look at the warnings first."
    : "Everything fits. You can switch.";
}
