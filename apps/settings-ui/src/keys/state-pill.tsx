import { classes } from "../ui/classes.ts";
import { Icon, type IconName } from "../ui/icon.tsx";
import type { CardState } from "./card-state.ts";

const looks: Readonly<Record<CardState, { word: string; icon: IconName; look: string }>> = {
  lent: { word: "Lent to you", icon: "loan", look: "border-line bg-sunken text-ink-2" },
  not_checked: { word: "Not checked", icon: "dashes", look: "border-edge bg-surface text-ink-2" },
  checking: { word: "Checking…", icon: "spinner", look: "border-accent bg-accent-soft text-accent" },
  works: { word: "Works", icon: "check", look: "border-good bg-good-soft text-good" },
  needs_you: { word: "Needs you", icon: "alert", look: "border-bad bg-bad-soft text-bad" },
};

/** How a service stands, in one of five words with a sign of its own: never by colour alone. */
export function StatePill({ state }: { readonly state: CardState }) {
  const { word, icon, look } = looks[state];
  return (
    <span
      data-state={state}
      className={classes(
        "inline-flex h-6 items-center gap-1 rounded-full border pr-2.5 pl-1.5 text-sm font-medium whitespace-nowrap transition-colors",
        look,
      )}
    >
      <Icon name={icon} className={classes("size-3.5", state === "checking" && "turning")} />
      {word}
    </span>
  );
}
