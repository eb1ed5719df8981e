import { Collapsible } from "@base-ui/react/collapsible";
import { useEffect, useRef } from "react";
import { useKeyWork } from "../state/key-work.tsx";
import { classes } from "../ui/classes.ts";
import { Icon } from "../ui/icon.tsx";
import { cardState } from "./card-state.ts";
import { cardId } from "./field-id.ts";
import { KeyForm } from "./key-form.tsx";
import { LentNote } from "./lent-note.tsx";
import { SavedKeys } from "./saved-keys.tsx";
import { knownValues, type Service } from "./services.ts";
import { StatePill } from "./state-pill.tsx";

/** One service: folded a name, a purpose and a state; unfolded the way to its keys and the fields. */
export function ConnectorCard({
  service,
  open,
  focused,
  onOpenChange,
  onProven,
}: {
  readonly service: Service;
  readonly open: boolean;
  /** Takes the focus when it becomes true, because the page opened the card by itself. */
  readonly focused: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly onProven: () => void;
}) {
  const { draftOf, workOf, edit, discard } = useKeyWork();
  const header = useRef<HTMLButtonElement>(null);
  const draft = draftOf(service.id);
  const state = cardState(service, draft, workOf(service.id));
  const { saved } = service.binding;
  const editing = saved === undefined || draft !== undefined;

  useEffect(() => {
    if (!focused) return;
    header.current?.focus({ preventScroll: true });
    header.current?.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }, [focused]);

  const fold = () => {
    onOpenChange(false);
    header.current?.focus();
  };
  const startEdit = () => edit(service.id, () => knownValues(service));
  return (
    <Collapsible.Root
      id={cardId(service.id)}
      open={open}
      onOpenChange={onOpenChange}
      render={<section aria-label={service.label} />}
      className={classes(
        "rounded-card border bg-surface transition-colors",
        open ? "border-edge" : "border-line hover:border-edge",
      )}
      onKeyDown={(event) => {
        if (event.key === "Escape" && open && !event.defaultPrevented) fold();
      }}
    >
      <h2>
        <Collapsible.Trigger
          ref={header}
          className="flex w-full items-center gap-4 rounded-card p-4 text-left sm:px-5"
        >
          <span
            aria-hidden="true"
            className="hidden size-10 shrink-0 place-items-center rounded-card bg-sunken text-lg font-semibold text-ink-2 sm:grid"
          >
            {service.label.charAt(0)}
          </span>
          <span className="flex min-w-0 flex-1 flex-wrap items-center gap-x-4 gap-y-2">
            <span className="min-w-0 flex-1 basis-64">
              <span className="block font-semibold">{service.label}</span>
              <span className="block text-sm text-ink-2 text-pretty">{service.summary}</span>
            </span>
            <StatePill state={state} />
          </span>
          <Icon
            name="chevron"
            className={classes("size-5 text-ink-3 transition-transform", open && "rotate-180")}
          />
        </Collapsible.Trigger>
      </h2>
      <Collapsible.Panel className="fold">
        <div className="space-y-6 border-t border-line p-4 sm:p-5">
          {editing ? (
            <KeyForm
              service={service}
              onProven={onProven}
              onCancelEdit={saved === undefined ? undefined : () => discard(service.id)}
            />
          ) : (
            <SavedKeys service={service} saved={saved} onReplace={startEdit} />
          )}
          {service.binding.source === "org" && <LentNote service={service} />}
        </div>
      </Collapsible.Panel>
    </Collapsible.Root>
  );
}
