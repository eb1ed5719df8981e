import { Collapsible } from "@base-ui/react/collapsible";
import { type ReactNode, useState } from "react";
import { classes } from "./classes.ts";
import { Icon } from "./icon.tsx";

/** A line that folds something out that not everybody needs. `forced` opens it and keeps it open. */
export function Details({
  label,
  forced = false,
  children,
}: {
  readonly label: string;
  readonly forced?: boolean;
  readonly children: ReactNode;
}) {
  const [open, setOpen] = useState(false);
  return (
    <Collapsible.Root open={open || forced} onOpenChange={setOpen}>
      <Collapsible.Trigger className="group -ml-1 inline-flex min-h-8 items-center gap-1 rounded-control px-1 text-left text-sm font-medium text-ink-2 hover:text-ink">
        <Icon name="chevron" className={classes("transition-transform", !(open || forced) && "-rotate-90")} />
        {label}
      </Collapsible.Trigger>
      <Collapsible.Panel className="fold">
        <div className="pt-2 pb-1 pl-5">{children}</div>
      </Collapsible.Panel>
    </Collapsible.Root>
  );
}
