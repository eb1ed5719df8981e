import { Fragment } from "react";

// A name in quotation marks is somebody's own: what looks like an address in it is none of ours.
const parts = /("(?:[^"\\]|\\.)*"|`[^`]+`|https:\/\/[^\s<>"]*[^\s<>".,;:!?)])/;

/** One sentence from the catalog or the broker: code between backticks and addresses become what they are. */
export function Prose({ text }: { readonly text: string }) {
  // Split at a group, so the parts alternate and their place is their identity.
  return text.split(parts).map((part, place) => {
    const key = `${place} ${part}`;
    if (part.startsWith("`") && part.length > 2) return <Mono key={key}>{part.slice(1, -1)}</Mono>;
    if (part.startsWith("https://") && URL.canParse(part)) return <OuterLink key={key} href={part} />;
    return <Fragment key={key}>{part}</Fragment>;
  });
}

export function Mono({ children }: { readonly children: string }) {
  return (
    <code className="rounded-sm border border-line bg-surface px-1 font-mono text-[0.875em] break-all text-ink">
      {children}
    </code>
  );
}

/** A link to a page elsewhere, in a tab of its own, that learns nothing of where it was opened. */
export function OuterLink({ href, children }: { readonly href: string; readonly children?: string }) {
  return (
    <a className="link break-words" href={href} target="_blank" rel="noopener noreferrer">
      {children ?? (URL.canParse(href) ? new URL(href).host : href)}
      <span className="sr-only"> (opens in a new tab)</span>
    </a>
  );
}

/** Makes a sentence of a fragment: a capital first, a full stop last. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  const first = /^[a-z]+ /.test(trimmed) ? trimmed.charAt(0).toUpperCase() + trimmed.slice(1) : trimmed;
  return /[.!?…]$|https:\/\/\S+$/.test(first) ? first : `${first}.`;
}

/** Names in a sentence: "A", "A and B", "A, B and C". */
export function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}
