import { type ReactNode, useEffect, useRef } from "react";

/** Where the focus goes when what had it is gone, and nothing has taken its place. */
export function focusHeading(): void {
  document.querySelector("h1")?.focus();
}

/** The page's title. It takes the focus when it appears, so that keyboard and screen reader start there. */
export function PageHeading({ children, lead }: { readonly children: string; readonly lead?: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${children} · Keyloan`;
    heading.current?.focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }, [children]);
  return (
    <header className="space-y-3">
      <h1
        ref={heading}
        tabIndex={-1}
        className="text-2xl leading-8 font-semibold tracking-tight text-balance sm:text-[1.75rem] sm:leading-9"
      >
        {children}
      </h1>
      {lead !== undefined && <div className="space-y-3 text-ink-2 text-pretty">{lead}</div>}
    </header>
  );
}
