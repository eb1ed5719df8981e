import { Icon } from "../ui/icon.tsx";
import { Prose } from "../ui/prose.tsx";

/** The way to a key at the service: a link that opens the right page, and what to do there. */
export function GuideSteps({
  label,
  guide,
}: {
  readonly label: string;
  readonly guide: { readonly url: string; readonly steps: readonly string[] };
}) {
  return (
    <div className="space-y-3">
      <a
        href={guide.url}
        target="_blank"
        rel="noopener noreferrer"
        className="inline-flex min-h-10 items-center gap-2 rounded-control border border-edge bg-surface px-4 font-medium transition-colors hover:bg-sunken"
      >
        Get your key at {label}
        <Icon name="external" />
        <span className="sr-only">(opens in a new tab)</span>
      </a>
      <ol className="space-y-2">
        {guide.steps.map((step, place) => (
          <li key={step} className="flex gap-3">
            <span
              aria-hidden="true"
              className="mt-0.5 grid size-5 shrink-0 place-items-center rounded-full bg-sunken text-xs font-semibold text-ink-2 tabular-nums"
            >
              {place + 1}
            </span>
            <span className="min-w-0 break-words text-ink-2">
              <Prose text={step} />
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}
