import { useSettings } from "../state/settings.tsx";
import { Moment } from "../ui/time.tsx";

/** Until when what was saved is kept, after "is kept": the build closes by itself then. */
export function KeptUntil() {
  const { keptUntil } = useSettings().settings.build;
  if (keptUntil === undefined) return "until this app is closed";
  return (
    <>
      until <Moment at={keptUntil} />
    </>
  );
}
