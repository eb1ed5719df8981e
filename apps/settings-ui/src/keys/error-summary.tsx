import type { MouseEvent, Ref } from "react";
import type { Refusal } from "../checks/check-text.ts";
import { ForSupport } from "../ui/failure-notice.tsx";
import { Notice } from "../ui/notice.tsx";
import { Prose, sentence } from "../ui/prose.tsx";
import type { FieldProblem } from "./check-draft.ts";
import { fieldId } from "./field-id.ts";
import { fieldOf, type Service } from "./services.ts";

/** What is wrong, with a link to each field; it takes the focus when it appears. */
export function ErrorSummary({
  service,
  problems,
  check,
  ref,
}: {
  readonly service: Service;
  readonly problems: readonly FieldProblem[];
  readonly check: Refusal | undefined;
  readonly ref: Ref<HTMLDivElement>;
}) {
  return (
    <Notice
      ref={ref}
      tone="bad"
      title={check === undefined ? "Something is missing or not correct yet" : titleOf(check, service.label)}
    >
      <ul className="space-y-1">
        {problems.map(({ name, message }) => (
          <li key={name}>
            {fieldOf(service, name) === undefined ? (
              sentence(message)
            ) : (
              <a
                className="link"
                href={`#${fieldId(service.id, name)}`}
                onClick={(event) => goTo(event, service.id, name)}
              >
                {sentence(message)}
              </a>
            )}
          </li>
        ))}
      </ul>
      {check !== undefined && (
        <>
          <p>
            <Prose text={sentence(check.remedy)} />
          </p>
          <p>Nothing was saved, and nothing changed.</p>
          <ForSupport code={`${check.code} ${check.envVar}`} />
        </>
      )}
    </Notice>
  );
}

function titleOf({ code }: { readonly code: string }, label: string): string {
  switch (code) {
    case "ours":
      return "This is the key we lent you";
    case "wrong_pair":
      return "These keys do not belong together";
    case "wrong_mode":
      return "This key is for the other mode";
    case "lacks_permission":
      return "This key works, but it lacks a permission";
    case "rejected":
      return `${label} does not accept this`;
    default:
      return "Something is not correct yet";
  }
}

/** The address holds the step, so the link moves the focus itself. */
function goTo(event: MouseEvent, service: string, name: string): void {
  event.preventDefault();
  document.getElementById(fieldId(service, name))?.focus();
}
