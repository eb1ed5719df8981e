import type { SettingsView } from "@keyloan/contract";
import { useCallback, useRef, useState } from "react";
import type { Failure } from "../api/request.ts";
import { useSettings } from "./settings.tsx";

export type Write = {
  readonly busy: boolean;
  /** Why the last one failed. */
  readonly failure: Failure | undefined;
  /** Whether it was done. `work` gets the version of the settings that it changes. */
  readonly write: (work: (version: number) => Promise<SettingsView>) => Promise<boolean>;
};

/** Changes of the settings, one after the other, and what became of them. */
export function useWrite(): Write {
  const { latest, apply, settle, during } = useSettings();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const last = useRef(Promise.resolve(true));
  const write = useCallback(
    (work: (version: number) => Promise<SettingsView>) => {
      const run = async () => {
        setFailure(undefined);
        try {
          apply(await during(() => work(latest().version)));
          return true;
        } catch (error) {
          setFailure(await settle(error));
          return false;
        }
      };
      setBusy(true);
      const done = last.current.then(run).finally(() => {
        if (last.current === done) setBusy(false);
      });
      last.current = done;
      return done;
    },
    [apply, during, latest, settle],
  );
  return { busy, failure, write };
}
