import { useNow } from "../ui/time.tsx";

const slowMs = 5_000;

/** Says that a check goes on; silent at first, because most are over at once. */
export function CheckProgress({ label, since }: { readonly label: string; readonly since: number }) {
  const waited = useNow(1000) - since;
  return (
    <p className="late text-sm text-ink-2">
      {waited < slowMs
        ? `Asking ${label}…`
        : `Still waiting for ${label}: ${Math.floor(waited / 1000)} s. This can take half a minute.`}
    </p>
  );
}
