import { Details } from "../ui/details.tsx";
import { Prose, sentence } from "../ui/prose.tsx";
import type { Service } from "./services.ts";

/** What the lent keys are, in plain words, and how they end. */
export function LentNote({ service }: { readonly service: Service }) {
  const { grade, gradeMeaning } = service.binding;
  return (
    <Details label="About the keys you use now">
      <dl className="grid gap-x-4 gap-y-1 text-sm text-ink-2 sm:grid-cols-[8rem_1fr]">
        <dt className="font-medium text-ink">What you have</dt>
        <dd className="mb-2">
          {sentence(gradeMeaning.charAt(0).toUpperCase() + gradeMeaning.slice(1))} It is lent to you.
        </dd>
        <dt className="font-medium text-ink">How it ends</dt>
        <dd className="mb-2">
          <Prose text={sentence(service.revocation)} />
        </dd>
        <dt className="font-medium text-ink">Isolation</dt>
        <dd>Grade {grade}, from A (your own account) to E (shared with others).</dd>
      </dl>
    </Details>
  );
}
