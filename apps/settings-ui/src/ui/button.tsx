import type { ComponentProps } from "react";
import { classes } from "./classes.ts";
import { Icon } from "./icon.tsx";

const looks = {
  primary:
    "border-transparent bg-accent text-on-accent hover:bg-accent-deep data-off:bg-sunken data-off:text-ink-3 data-off:border-line",
  secondary: "border-edge bg-surface text-ink hover:bg-sunken data-off:border-line data-off:text-ink-3",
  quiet: "border-transparent text-accent hover:bg-accent-soft data-off:text-ink-3",
  danger: "border-bad bg-surface text-bad hover:bg-bad-soft data-off:border-line data-off:text-ink-3",
} as const;

export type ButtonProps = Omit<ComponentProps<"button">, "disabled"> & {
  readonly look?: keyof typeof looks;
  readonly small?: boolean;
  /** Work under way: the button keeps its place and its focus, and does nothing. */
  readonly busy?: boolean;
  /** Kept in the tab order, so that its description tells why. */
  readonly off?: boolean;
};

export function Button({
  look = "secondary",
  small = false,
  busy = false,
  off = false,
  className,
  onClick,
  children,
  type = "button",
  ...rest
}: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      aria-disabled={busy || off ? true : undefined}
      data-off={off ? "" : undefined}
      onClick={(event) => {
        if (busy || off) event.preventDefault();
        else onClick?.(event);
      }}
      className={classes(
        "inline-flex max-w-full items-center justify-center gap-2 rounded-control border font-medium break-words transition-colors aria-disabled:cursor-default",
        small ? "min-h-8 px-3 py-1 text-sm" : "min-h-10 px-4 py-2",
        looks[look],
        className,
      )}
    >
      {busy && <Icon name="spinner" className="turning" />}
      {children}
    </button>
  );
}
