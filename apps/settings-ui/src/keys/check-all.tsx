import { useRef, useState } from "react";
import { useKeyWork } from "../state/key-work.tsx";
import { Button } from "../ui/button.tsx";
import { findMissing } from "./check-draft.ts";
import type { Service } from "./services.ts";

/** Checks and saves everything that was filled in, one service after the other. */
export function CheckAll({
  services,
  onDone,
}: {
  readonly services: readonly Service[];
  /** The card to look at afterwards: the first that needs the person. */
  readonly onDone: (service: string | undefined) => void;
}) {
  const { draftOf, save, cancel } = useKeyWork();
  const [progress, setProgress] = useState<{ at: number; of: number; label: string }>();
  const stopped = useRef(false);
  const current = useRef<string>(undefined);

  const run = async () => {
    stopped.current = false;
    let needsPerson: string | undefined;
    for (const [at, service] of services.entries()) {
      if (stopped.current) break;
      setProgress({ at: at + 1, of: services.length, label: service.label });
      current.current = service.id;
      const complete = findMissing(service, draftOf(service.id) ?? {}).length === 0;
      const outcome = complete ? await save(service) : "failed";
      if (outcome === "cancelled") break;
      if (outcome !== "valid") needsPerson ??= service.id;
    }
    setProgress(undefined);
    onDone(needsPerson);
  };
  const stop = () => {
    stopped.current = true;
    if (current.current !== undefined) cancel(current.current);
  };
  if (progress === undefined && services.length < 2) return null;
  return (
    <div className="flex min-h-10 flex-wrap items-center gap-3">
      <Button look="primary" busy={progress !== undefined} onClick={run}>
        {progress === undefined
          ? `Check and save all ${services.length}`
          : `Checking ${progress.at} of ${progress.of}`}
      </Button>
      {progress !== undefined && (
        <>
          <Button onClick={stop}>Stop</Button>
          <p className="text-sm text-ink-2">Asking {progress.label}…</p>
        </>
      )}
    </div>
  );
}
