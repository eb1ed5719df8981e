import type { ComponentProps } from "react";
import { classes } from "./classes.ts";
import { Icon } from "./icon.tsx";

const looks = {
  primary:
    "border-transparent bg-accent text-on-accent hover:bg-accent-deep aria-disabled:bg-sunken aria-disabled:text-ink-3 aria-disabled:border-line",
  secondary:
    "border-edge bg-surface text-ink hover:bg-sunken aria-disabled:border-line aria-disabled:text-ink-3",
  quiet: "border-transparent text-accent hover:bg-accent-soft aria-disabled:text-ink-3",
  danger:
    "border-bad bg-surface text-bad hover:bg-bad-soft aria-disabled:border-line aria-disabled:text-ink-3",
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
      onClick={(event) => {
        if (busy || off) event.preventDefault();
        else onClick?.(event);
      }}
      className={classes(
        "inline-flex items-center justify-center gap-2 rounded-control border font-medium whitespace-nowrap transition-colors aria-disabled:cursor-default",
        small ? "min-h-8 px-3 text-sm" : "min-h-10 px-4",
        looks[look],
        className,
      )}
    >
      {busy && <Icon name="spinner" className="turning" />}
      {children}
    </button>
  );
}
