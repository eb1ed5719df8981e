import type { SavedKeys as Saved } from "@keyloan/contract";
import { useEffect, useRef } from "react";
import { CheckResult } from "../checks/check-result.tsx";
import { useKeyWork } from "../state/key-work.tsx";
import { Button } from "../ui/button.tsx";
import { FailureNotice } from "../ui/failure-notice.tsx";
import { Notice } from "../ui/notice.tsx";
import { Prose, sentence } from "../ui/prose.tsx";
import { Moment } from "../ui/time.tsx";
import { CheckProgress } from "./check-progress.tsx";
import { Retry } from "./retry.tsx";
import { fieldOf, type Service } from "./services.ts";

/** Keys that are sealed: what was found about them, and masked what they are. */
export function SavedKeys({
  service,
  saved,
  onReplace,
}: {
  readonly service: Service;
  readonly saved: Saved;
  readonly onReplace: () => void;
}) {
  const { workOf, recheck, cancel, remove } = useKeyWork();
  const result = useRef<HTMLDivElement>(null);
  const work = workOf(service.id);
  const checking = work.phase === "checking";
  const { check } = saved;

  // The form that had the focus is gone, and this stands in its place.
  useEffect(() => {
    if (document.activeElement === document.body) result.current?.focus();
  }, []);
  return (
    <div ref={result} tabIndex={-1} className="space-y-5">
      {check.status === "invalid" ? (
        <Notice tone="bad" title={sentence(check.message)}>
          <p>
            <Prose text={sentence(check.remedy)} />
          </p>
        </Notice>
      ) : (
        <CheckResult
          check={check}
          label={service.label}
          {...(work.phase === "idle" ? { repairs: work.repairs } : {})}
          next={
            check.status === "undetermined" && !checking ? (
              <Retry key={saved.checkedAt} check={check} onRetry={() => recheck(service)} />
            ) : undefined
          }
        />
      )}
      {work.phase === "failed" && <FailureNotice failure={work.failure} />}
      <SavedList service={service} saved={saved} />
      <div className="flex flex-wrap items-center gap-3">
        <Button onClick={onReplace} off={checking}>
          Replace
        </Button>
        {service.waiting && (
          <Button look="quiet" onClick={() => remove(service)} off={checking}>
            Remove
          </Button>
        )}
        {work.phase === "checking" && (
          <>
            <Button onClick={() => cancel(service.id)}>Stop</Button>
            <CheckProgress label={service.label} since={work.since} />
          </>
        )}
      </div>
    </div>
  );
}

function SavedList({ service, saved }: { readonly service: Service; readonly saved: Saved }) {
  return (
    <div className="space-y-2">
      <dl className="divide-y divide-line rounded-card border border-line">
        {saved.fields.map(({ name, preview }) => (
          <div key={name} className="flex flex-wrap justify-between gap-x-4 px-4 py-2 text-sm">
            <dt className="text-ink-2">{fieldOf(service, name)?.label ?? name}</dt>
            <dd className="min-w-0 font-mono break-all">{preview}</dd>
          </div>
        ))}
        {service.generated.map(({ name, label }) => (
          <div key={name} className="flex flex-wrap justify-between gap-x-4 px-4 py-2 text-sm">
            <dt className="text-ink-2">{label}</dt>
            <dd>made for you</dd>
          </div>
        ))}
      </dl>
      <p className="text-sm text-ink-3">
        Saved <Moment on at={saved.savedAt} />, sealed. For secrets, at most the last four characters are
        shown.
      </p>
    </div>
  );
}
