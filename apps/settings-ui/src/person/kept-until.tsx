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

/** Until when the lent keys that the app uses work; nothing while it uses none. */
export function LentUntil() {
  const { lentUntil } = useSettings().settings;
  if (lentUntil === undefined) return null;
  return (
    <p>
      The lent keys work until <Moment at={lentUntil} />, or longer when they are renewed.
    </p>
  );
}
