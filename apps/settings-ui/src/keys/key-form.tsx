import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { useKeyWork } from "../state/key-work.tsx";
import { usePaste } from "../state/paste.tsx";
import { Button } from "../ui/button.tsx";
import { FailureNotice } from "../ui/failure-notice.tsx";
import { type FieldProblem, findMissing } from "./check-draft.ts";
import { CheckProgress } from "./check-progress.tsx";
import { ErrorSummary } from "./error-summary.tsx";
import { FieldList } from "./field-list.tsx";
import { GuideSteps } from "./guide-steps.tsx";
import type { Service } from "./services.ts";

/** The form of one service: the way to the key, the fields, and one button that checks and saves. */
export function KeyForm({
  service,
  onProven,
  onCancelEdit,
}: {
  readonly service: Service;
  readonly onProven: () => void;
  readonly onCancelEdit?: (() => void) | undefined;
}) {
  const { draftOf, workOf, edit, save, cancel } = useKeyWork();
  const { takeText } = usePaste();
  const [problems, setProblems] = useState<readonly FieldProblem[]>([]);
  const summary = useRef<HTMLDivElement>(null);
  const formId = useId();
  const work = workOf(service.id);
  const draft = draftOf(service.id) ?? {};
  const checking = work.phase === "checking";
  const shown = problemsShown(problems, work.phase === "refused" ? work.check : undefined);

  // The place to look at after a refusal, whether it came from here or from the service.
  const refusal = work.phase === "refused" ? work.check : undefined;
  useEffect(() => {
    if (problems.length > 0 || refusal !== undefined) summary.current?.focus();
  }, [problems, refusal]);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (checking) return;
    const found = findMissing(service, draft);
    setProblems(found);
    if (found.length > 0) return;
    if ((await save(service)) === "valid") onProven();
  };
  const change = (name: string, value: string) => {
    setProblems((before) => before.filter((problem) => problem.name !== name));
    edit(service.id, (old) => ({ ...old, [name]: value }));
  };
  const generatedOnly = service.needed.length + service.extra.length + service.families.length === 0;
  return (
    <form id={formId} noValidate autoComplete="off" onSubmit={submit} className="space-y-6">
      {shown.length > 0 && <ErrorSummary ref={summary} service={service} problems={shown} check={refusal} />}
      {service.guide !== undefined && <GuideSteps label={service.label} guide={service.guide} />}
      <FieldList
        service={service}
        draft={draft}
        problems={shown}
        locked={checking}
        onChange={change}
        onPasteText={takeText}
      />
      {work.phase === "failed" && <FailureNotice failure={work.failure} />}
      <div className="min-h-10 space-y-2">
        <div className="flex flex-wrap items-center gap-3">
          <Button type="submit" look="primary" busy={checking}>
            {checking ? "Checking…" : generatedOnly ? "Make my own" : "Check and save"}
          </Button>
          {checking && <Button onClick={() => cancel(service.id)}>Stop</Button>}
          {!checking && onCancelEdit !== undefined && (
            <Button onClick={onCancelEdit}>Keep the saved ones</Button>
          )}
          {work.phase === "checking" && <CheckProgress label={service.label} since={work.since} />}
        </div>
      </div>
    </form>
  );
}

function problemsShown(
  problems: readonly FieldProblem[],
  refusal: { readonly envVar: string; readonly message: string } | undefined,
): readonly FieldProblem[] {
  if (problems.length > 0 || refusal === undefined) return problems;
  return [{ name: refusal.envVar, message: refusal.message }];
}
