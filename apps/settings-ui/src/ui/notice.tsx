import { type ReactNode, type Ref, useId } from "react";
import { classes } from "./classes.ts";
import { Icon, type IconName } from "./icon.tsx";

const tones = {
  plain: { box: "border-line bg-surface", icon: "text-ink-3", name: "info" },
  accent: { box: "border-accent bg-accent-soft", icon: "text-accent", name: "info" },
  good: { box: "border-good bg-good-soft", icon: "text-good", name: "check" },
  warn: { box: "border-warn bg-warn-soft", icon: "text-warn", name: "alert" },
  bad: { box: "border-bad bg-bad-soft", icon: "text-bad", name: "alert" },
} as const satisfies Record<string, { box: string; icon: string; name: IconName }>;

export type NoticeProps = {
  readonly tone?: keyof typeof tones;
  readonly icon?: IconName;
  readonly title?: ReactNode;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
  readonly ref?: Ref<HTMLDivElement>;
  /** Lies over the page rather than in it. */
  readonly floating?: boolean;
};

/**
 * Something that happened or matters, in its own box: what, what it means, what to do. With a `ref` it can take the
 * focus, and its title is read out then.
 */
export function Notice({
  tone = "plain",
  icon,
  title,
  children,
  actions,
  ref,
  floating = false,
}: NoticeProps) {
  const { box, icon: color, name } = tones[tone];
  const titleId = useId();
  const focusable = ref !== undefined && { role: "group", tabIndex: -1, "aria-labelledby": titleId };
  return (
    <div
      ref={ref}
      {...focusable}
      className={classes("flex gap-3 rounded-card border p-4", box, floating && "shadow-lg")}
    >
      <Icon name={icon ?? name} className={classes("mt-0.5 size-5", color)} />
      <div className="min-w-0 flex-1 space-y-1 break-words">
        {title !== undefined && (
          <p id={titleId} className="font-semibold">
            {title}
          </p>
        )}
        {children !== undefined && <div className="space-y-2 text-ink-2">{children}</div>}
        {actions !== undefined && <div className="flex flex-wrap gap-3 pt-2">{actions}</div>}
      </div>
    </div>
  );
}
