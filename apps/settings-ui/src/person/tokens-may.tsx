import { type TokenPermission, tokenPermissions } from "@keyloan/contract";
import { useEffect, useState } from "react";
import { allowTokens } from "../api/persons.ts";
import { readTransfers } from "../api/transfers.ts";
import { useSettings } from "../state/settings.tsx";
import { useWrite } from "../state/use-write.ts";
import { FailureNotice } from "../ui/failure-notice.tsx";
import { useAnnounce } from "../ui/live-region.tsx";

const words: Readonly<Record<TokenPermission, { readonly label: string; readonly hint: string }>> = {
  transfer: {
    label: "Move my data",
    hint: "Start, resume and stop copying your app’s data into your accounts. It can never overwrite data there.",
  },
  revert: {
    label: "Go back to the lent keys",
    hint: "Undo your switch while that is possible.",
  },
};

/** What the platform's tokens may do with the person's values: nothing, until the person says otherwise. */
export function TokensMay() {
  const { settings } = useSettings();
  const announce = useAnnounce();
  const { busy, failure, write } = useWrite();
  // Shown at once, and taken back when it fails.
  const [chosen, setChosen] = useState<readonly TokenPermission[]>([]);
  const allowed = busy ? chosen : (settings.person.tokensMay ?? []);
  const movable = useMovable();
  // What is allowed already is shown whatever it is good for, so that it can be taken back.
  const shown = tokenPermissions.filter(
    (kind) => kind !== "transfer" || movable || allowed.includes("transfer"),
  );
  const change = async (kind: TokenPermission, allow: boolean) => {
    const next = allow ? [...allowed, kind] : allowed.filter((other) => other !== kind);
    setChosen(next);
    const done = await write((version) => allowTokens(next, version));
    if (done) announce(`${words[kind].label}: ${allow ? "allowed" : "not allowed"}.`);
  };
  return (
    <fieldset className="space-y-3">
      <legend className="font-semibold">What the app builder may do without you</legend>
      <p className="text-sm text-ink-2">
        This does not let the tool that built your app see your saved keys. It could only press these buttons
        for you.
      </p>
      {shown.map((kind) => (
        <label key={kind} className="flex gap-3">
          <input
            type="checkbox"
            checked={allowed.includes(kind)}
            onChange={(event) => change(kind, event.target.checked)}
            className="mt-1 size-4 shrink-0 accent-accent"
          />
          <span className="min-w-0">
            <span className="block font-medium">{words[kind].label}</span>
            <span className="block text-sm text-ink-2">{words[kind].hint}</span>
          </span>
        </label>
      ))}
      {failure !== undefined && <FailureNotice failure={failure} />}
    </fieldset>
  );
}

/** Whether the app has data that can be moved at all. */
function useMovable(): boolean {
  const [movable, setMovable] = useState(false);
  useEffect(() => {
    readTransfers().then(
      (list) => setMovable(list.movable.length > 0),
      () => setMovable(true),
    );
  }, []);
  return movable;
}
