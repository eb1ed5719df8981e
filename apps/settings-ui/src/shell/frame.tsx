import type { ReactNode } from "react";
import { classes } from "../ui/classes.ts";
import { Icon } from "../ui/icon.tsx";

/** The page around every step: whose it is, the list of steps when there is one, one column of content. */
export function Frame({
  app,
  steps,
  notices,
  footer,
  children,
}: {
  readonly app?: string;
  readonly steps?: ReactNode;
  readonly notices?: ReactNode;
  readonly footer?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <div className="flex min-h-dvh flex-col">
      <header className="border-b border-line bg-surface">
        <div className="mx-auto flex min-h-14 max-w-[58rem] items-center gap-2 px-4 font-semibold sm:px-6">
          <span className="grid size-7 shrink-0 place-items-center rounded-control bg-accent text-on-accent">
            <Icon name="key" className="size-4.5" />
          </span>
          Keyloan
          {app !== undefined && (
            <span className="min-w-0 truncate font-normal text-ink-2">
              <span aria-hidden="true" className="mr-2 text-ink-3">
                /
              </span>
              {app}
            </span>
          )}
        </div>
      </header>
      <div
        className={classes(
          "mx-auto grid w-full max-w-[58rem] flex-1 content-start gap-x-12 gap-y-6 px-4 py-6 sm:px-6 sm:py-10",
          steps === undefined
            ? "rail:grid-cols-[minmax(0,42.5rem)]"
            : "rail:grid-cols-[10rem_minmax(0,42.5rem)]",
        )}
      >
        {steps !== undefined && <div className="rail:sticky rail:top-10 rail:self-start">{steps}</div>}
        <main className="min-w-0">
          {children}
          {/* At the end, where it moves nothing, and stuck to the bottom, where it is seen. */}
          <div data-notices className="sticky bottom-4 z-10 mt-6 space-y-3 empty:hidden">
            {notices}
          </div>
        </main>
      </div>
      <footer className="border-t border-line">
        <div className="mx-auto flex max-w-[58rem] flex-wrap items-center justify-between gap-x-6 gap-y-2 px-4 py-4 text-sm text-ink-2 sm:px-6">
          {footer ?? <p>This page connects only to Keyloan.</p>}
        </div>
      </footer>
    </div>
  );
}
