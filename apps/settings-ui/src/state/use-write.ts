import type { SettingsView } from "@keyloan/contract";
import { useCallback, useState } from "react";
import type { Failure } from "../api/request.ts";
import { useSettings } from "./settings.tsx";

export type Write = {
  readonly busy: boolean;
  /** Why the last one failed. */
  readonly failure: Failure | undefined;
  /** Whether it was done. `work` gets the version of the settings that it changes. */
  readonly write: (work: (version: number) => Promise<SettingsView>) => Promise<boolean>;
};

/** One change of the settings at a time, and what became of it. */
export function useWrite(): Write {
  const { latest, apply, settle, during } = useSettings();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const write = useCallback(
    async (work: (version: number) => Promise<SettingsView>) => {
      setBusy(true);
      setFailure(undefined);
      try {
        apply(await during(() => work(latest().version)));
        return true;
      } catch (error) {
        setFailure(await settle(error));
        return false;
      } finally {
        setBusy(false);
      }
    },
    [apply, during, latest, settle],
  );
  return { busy, failure, write };
}
