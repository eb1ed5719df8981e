import { useSettings } from "../state/settings.tsx";
import type { Step } from "../state/steps.ts";
import { Details } from "../ui/details.tsx";
import { NewRecoveryCode } from "./recovery-box.tsx";
import { TokensMay } from "./tokens-may.tsx";

/** What belongs to the person at every step: the way back in, and what nobody does without them. */
export function YourAccess({ step }: { readonly step: Step }) {
  const { settings } = useSettings();
  if (settings.person.standing !== "you" || step === "start") return null;
  // Before the end the code stands in the page itself.
  const code = step !== "download";
  const tokens = step !== "done";
  const label = [code ? "your recovery code" : "", tokens ? "what the app builder may do" : ""]
    .filter((part) => part !== "")
    .join(", and ");
  return (
    <div className="mt-8 border-t border-line pt-4">
      <Details label={label.charAt(0).toUpperCase() + label.slice(1)}>
        <div className="space-y-6 pt-2">
          {code && <NewRecoveryCode />}
          {tokens && <TokensMay />}
        </div>
      </Details>
    </div>
  );
}
