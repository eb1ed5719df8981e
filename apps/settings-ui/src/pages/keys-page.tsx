import { useEffect, useRef, useState } from "react";
import { cardState } from "../keys/card-state.ts";
import { CheckAll } from "../keys/check-all.tsx";
import { isDirty } from "../keys/check-draft.ts";
import { ConnectorCard } from "../keys/connector-card.tsx";
import { fieldId } from "../keys/field-id.ts";
import { PastePanel, PasteReportNotice } from "../keys/paste-panel.tsx";
import { fieldOf, isTyped, knownValues, type Service } from "../keys/services.ts";
import { KeptUntil } from "../person/kept-until.tsx";
import { RecoveryBox } from "../person/recovery-box.tsx";
import { useKeyWork } from "../state/key-work.tsx";
import { usePaste } from "../state/paste.tsx";
import { useSettings } from "../state/settings.tsx";
import { Button } from "../ui/button.tsx";
import { useAnnounce } from "../ui/live-region.tsx";
import { focusHeading, PageHeading } from "../ui/page-heading.tsx";
import { listed } from "../ui/prose.tsx";

/** Opens the named field for a change and puts the focus into it, once. */
function useFieldFocus(target: KeyTarget | undefined): void {
  const { services } = useSettings();
  const { draftOf, edit } = useKeyWork();
  const wanted = useRef(target);
  useEffect(() => {
    const { service: id, variable } = wanted.current ?? {};
    const service = services.find((candidate) => candidate.id === id);
    if (service === undefined || variable === undefined) return;
    const field = document.getElementById(fieldId(service.id, variable));
    if (field !== null) {
      wanted.current = undefined;
      field.focus();
    } else if (draftOf(service.id) === undefined && fieldOf(service, variable) !== undefined) {
      edit(service.id, () => ({ ...knownValues(service), [variable]: knownValues(service)[variable] ?? "" }));
    }
  });
}

/** What another page asked to be shown here: a card, and a field in it. */
export type KeyTarget = { readonly service: string; readonly variable?: string };

export function KeysPage({
  target,
  codeHidden,
  onHideCode,
  onContinue,
  onSwitched,
}: {
  readonly target: KeyTarget | undefined;
  /** The person has put the recovery code away. */
  readonly codeHidden: boolean;
  readonly onHideCode: () => void;
  readonly onContinue: () => void;
  /** Back to what comes after a switch, when there was one. */
  readonly onSwitched: () => void;
}) {
  const { services } = useSettings();
  const { draftOf, workOf, save } = useKeyWork();
  const { report, dismiss } = usePaste();
  const announce = useAnnounce();
  const stateOf = (service: Service) => cardState(service, draftOf(service.id), workOf(service.id));
  const unproven = services.filter((service) => stateOf(service) !== "works");
  const [open, setOpen] = useState<string | undefined>(target?.service ?? unproven[0]?.id);
  const [focused, setFocused] = useState<string>();
  const continueButton = useRef<HTMLButtonElement>(null);

  const hideCode = () => {
    onHideCode();
    focusHeading();
  };
  const show = (id: string | undefined) => {
    setOpen(id);
    setFocused(id);
  };
  // The next card that is not done yet, once the answer is drawn; after the last one the button that leads on.
  const [leaving, setLeaving] = useState<{ readonly from: string | undefined }>();
  useEffect(() => {
    if (leaving === undefined) return;
    setLeaving(undefined);
    const place = services.findIndex(({ id }) => id === leaving.from);
    const others = [...services.slice(place + 1), ...services.slice(0, Math.max(place, 0))];
    const next = others.find((service) => stateOf(service) !== "works");
    setOpen(next?.id);
    setFocused(next?.id);
    if (next === undefined) continueButton.current?.focus();
  });
  // What nobody has to type is made on the way, so that nobody has to ask for it either.
  const toMake = services.filter(({ binding, needed }) => needed.length === 0 && binding.saved === undefined);
  const making = listed(toMake.map(({ label }) => `${label.charAt(0).toLowerCase()}${label.slice(1)}`));
  const goOn = async () => {
    if (toMake.length > 0) announce(`Making new ${making} for you.`);
    for (const service of toMake) {
      if ((await save(service)) !== "valid") return show(service.id);
    }
    onContinue();
  };

  const filled = report?.services[0];
  useEffect(() => {
    if (report !== undefined && filled !== undefined) setOpen(filled);
  }, [report, filled]);

  useFieldFocus(target);
  const dirty = services.filter((service) => isDirty(draftOf(service.id)));
  const waiting = services.some((service) => service.waiting);
  const partly = services.some(({ inUse }) => inUse);
  const done = services.length - unproven.length;
  return (
    <div className="space-y-6">
      <PageHeading
        lead={
          <p>
            One card per service.{" "}
            {partly
              ? "Your app will use what you save from the next switch on."
              : "Nothing changes for your app yet: it keeps running on the lent keys until you switch."}{" "}
            What you save is kept <KeptUntil />.
          </p>
        }
      >
        Add your own keys
      </PageHeading>
      {!codeHidden && <RecoveryBox onHide={hideCode} />}
      <PasteReportNotice />
      {services.some(isTyped) && <PastePanel />}
      <CheckAll
        services={dirty}
        onDone={(id) => {
          dismiss();
          if (id === undefined) setLeaving({ from: undefined });
          else show(id);
        }}
      />
      <div className="space-y-3">
        {services.map((service) => (
          <ConnectorCard
            key={service.id}
            service={service}
            open={open === service.id}
            focused={focused === service.id}
            onOpenChange={(next) => {
              setFocused(undefined);
              setOpen(next ? service.id : undefined);
            }}
            onProven={() => setLeaving({ from: service.id })}
          />
        ))}
      </div>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        {partly && !waiting && (
          <Button look={unproven.length === 0 ? "primary" : "secondary"} onClick={onSwitched}>
            Back to the download
          </Button>
        )}
        <Button
          ref={continueButton}
          look={unproven.length === 0 && waiting ? "primary" : "secondary"}
          off={!waiting}
          aria-describedby="keys-progress"
          onClick={goOn}
        >
          Continue to the check
        </Button>
        <p id="keys-progress" className="text-sm text-ink-2">
          {done} of {services.length} {done === 1 ? "works" : "work"} with your own keys.{" "}
          {!waiting && unproven.length > 0 && "Save the keys of at least one service to continue."}
          {waiting && toMake.length > 0 && `Continue also makes new ${making} for you.`}
        </p>
      </div>
    </div>
  );
}
