import { useEffect, useRef, useState } from "react";
import { swap } from "../api/calls.ts";
import type { Failure } from "../api/request.ts";
import { GateList } from "../checks/gate-list.tsx";
import { type GateAnswer, readGates } from "../checks/use-gates.ts";
import { Difference } from "../handoff/difference.tsx";
import { PreviewChoice, previewSummary, usePreviewChoice } from "../handoff/preview-choice.tsx";
import { type Entry, entriesOf, MoveData } from "../moving/move-data.tsx";
import { isMoving, useTransfers } from "../moving/use-transfers.ts";
import { KeptUntil, LentUntil } from "../person/kept-until.tsx";
import { useSettings } from "../state/settings.tsx";
import { Button } from "../ui/button.tsx";
import { FailureNotice } from "../ui/failure-notice.tsx";
import { Icon } from "../ui/icon.tsx";
import { useAnnounce } from "../ui/live-region.tsx";
import { Notice } from "../ui/notice.tsx";
import { PageHeading } from "../ui/page-heading.tsx";
import type { KeyTarget } from "./keys-page.tsx";

type Attempt =
  | { readonly kind: "none" }
  | { readonly kind: "switching" }
  | { readonly kind: "refused"; readonly gates: readonly GateAnswer[] }
  | { readonly kind: "failed"; readonly failure: Failure };

/** What the switch changes, and the one button that does it. */
export function SwapPage({
  reverted,
  onFix,
  onBack,
  onSwapped,
}: {
  /** The person has just gone back to the lent keys. */
  readonly reverted: boolean;
  readonly onFix: (target: KeyTarget) => void;
  readonly onBack: () => void;
  readonly onSwapped: () => void;
}) {
  const { settings, services, latest, apply, settle, during } = useSettings();
  const announce = useAnnounce();
  const [attempt, setAttempt] = useState<Attempt>({ kind: "none" });
  const answer = useRef<HTMLDivElement>(null);
  const changing = services.filter(({ waiting }) => waiting);
  const staying = services.filter(({ waiting }) => !waiting);
  const transfers = useTransfers();
  const entries = entriesOf(transfers, changing);
  const moving = entries.some(({ movable }) => isMoving(movable));
  const unknown = transfers.movable === undefined && transfers.failure === undefined;
  const left = moving ? [] : entries.filter(({ movable }) => movable.canStart);
  // When lending has ended, nobody but the user gets their keys, whatever they would answer.
  const asked = settings.lendingEndedAt === undefined ? changing : [];
  const preview = usePreviewChoice(asked, transfers.wasMoved);
  const whole = staying.every(({ inUse }) => inUse);

  useEffect(() => {
    if (attempt.kind === "refused") answer.current?.focus();
  }, [attempt]);

  const run = async () => {
    setAttempt({ kind: "switching" });
    try {
      const connectors = changing.map(({ id }) => id);
      const { settings: next } = await during(() =>
        swap({
          connectors,
          dryRun: false,
          preview: preview.answers,
          expectedVersion: latest().version,
        }),
      );
      apply(next);
      announce("Switched. Your app uses your keys now.");
      onSwapped();
    } catch (error) {
      const gates = readGates(error);
      if (gates !== undefined) return setAttempt({ kind: "refused", gates });
      const failure = await settle(error);
      // What was copied may have changed since, or ended.
      await transfers.reload();
      setAttempt(failure === undefined ? { kind: "none" } : { kind: "failed", failure });
    }
  };
  return (
    <div className="space-y-6">
      {reverted && (
        <Notice tone="good" icon="undo" title="Your app uses the lent keys again">
          <p>
            Your own keys are kept <KeptUntil />. You can change them, or switch again at any time.
          </p>
          <LentUntil />
        </Notice>
      )}
      <PageHeading
        lead={
          <p>
            This is what will change. Either all of it changes at once, or nothing does
            {settings.canGoBack && ", and you can go back afterwards"}.
          </p>
        }
      >
        {`Switch ${settings.build.name} to your keys`}
      </PageHeading>
      {attempt.kind === "refused" && (
        <div ref={answer} tabIndex={-1} className="space-y-4">
          <Notice tone="bad" title="Nothing was changed">
            <p>Some checks no longer pass. Fix the problems listed here, then switch again.</p>
          </Notice>
          <GateList results={attempt.gates} onFix={onFix} />
        </div>
      )}
      <MoveData transfers={transfers} services={changing} />
      <Difference changing={changing} staying={staying} entries={entries} />
      {asked.length > 0 && <PreviewChoice {...preview} />}
      {attempt.kind === "failed" && <FailureNotice failure={attempt.failure} />}
      <div className="flex min-h-10 flex-wrap items-center gap-3">
        <Button
          look={left.length > 0 ? "secondary" : "primary"}
          busy={attempt.kind === "switching"}
          off={moving || unknown}
          aria-describedby={moving ? "switch-waits" : "switch-preview"}
          onClick={run}
        >
          {attempt.kind === "switching" ? (
            "Switching…"
          ) : (
            <>
              <Icon name="loan" />
              {whole ? "Switch" : `Switch ${changing.length} of ${services.length}`} {dataText(left, entries)}
            </>
          )}
        </Button>
        <Button onClick={onBack} off={attempt.kind === "switching"}>
          Not yet
        </Button>
        {!moving && (
          <p id="switch-preview" className="text-sm text-ink-2">
            {previewSummary(preview)}
          </p>
        )}
        {moving && (
          <p id="switch-waits" className="text-sm text-ink-2">
            You can switch when your data has been moved, or when you stop moving it.
          </p>
        )}
      </div>
    </div>
  );
}

/** Whether the switch takes the data along; what it leaves behind is named. */
function dataText(left: readonly Entry[], entries: readonly Entry[]): string {
  if (left.length === 0) return "to my keys";
  if (left.length === entries.length) return "without my data";
  return `without the data of ${left.map(({ service }) => service.label).join(", ")}`;
}
