import { classes } from "./classes.ts";

const paths = {
  check: "m5 12.5 4.5 4.5L19 7.5",
  cross: "M7 7l10 10M17 7 7 17",
  dot: "M12 8.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7Z",
  circle: "M12 5a7 7 0 1 1 0 14 7 7 0 0 1 0-14Z",
  dashes:
    "M12 5a7 7 0 0 1 4.95 2.05M19 12a7 7 0 0 1-2.05 4.95M12 19a7 7 0 0 1-4.95-2.05M5 12a7 7 0 0 1 2.05-4.95",
  alert: "M12 7.5v5.5M12 16.5v.01M12 3.5 21.5 20h-19L12 3.5Z",
  info: "M12 11v5.5M12 7.5v.01M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17Z",
  chevron: "m7 10 5 5 5-5",
  external:
    "M13 5h6v6M19 5l-8.5 8.5M10 6H6.5A1.5 1.5 0 0 0 5 7.5v10A1.5 1.5 0 0 0 6.5 19h10a1.5 1.5 0 0 0 1.5-1.5V14",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 9.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5Z",
  eyeOff:
    "M4 4l16 16M9.9 5.8A9.5 9.5 0 0 1 12 5.5c6 0 9.5 6.5 9.5 6.5a17 17 0 0 1-2.7 3.4M6.2 7.2A16 16 0 0 0 2.5 12S6 18.5 12 18.5a9.3 9.3 0 0 0 4.2-1",
  copy: "M9 9h10v11H9zM5 15V4h10",
  paste: "M9 5H6v15h12V5h-3M9 3.5h6v3.5H9z",
  lock: "M6.5 11h11v8.5h-11zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  key: "M3.5 12a4 4 0 1 0 8 0 4 4 0 1 0-8 0ZM11.5 12h9v4M16.5 12v3",
  clock: "M12 7.5V12l3 2M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17Z",
  arrow: "M5 12h14M13 6l6 6-6 6",
  download: "M12 4v11M7 10.5l5 5 5-5M5 20h14",
  loan: "M4 9h14M14 5l4 4-4 4M20 15H6M10 11l-4 4 4 4",
  offline:
    "M4 4l16 16M8.5 15.5a5 5 0 0 1 5-1.2M5.5 12.2A9.5 9.5 0 0 1 10 9.6M3 9a13 13 0 0 1 4-2.6M21 9a13 13 0 0 0-10-3.5M18.5 12.2a9.5 9.5 0 0 0-2.3-1.7M12 19v.01",
  spinner: "M12 4a8 8 0 0 1 8 8",
  database:
    "M5 6.5C5 4.8 8.1 3.5 12 3.5s7 1.3 7 3-3.1 3-7 3-7-1.3-7-3ZM5 6.5v11c0 1.7 3.1 3 7 3s7-1.3 7-3v-11M5 12c0 1.7 3.1 3 7 3s7-1.3 7-3",
  files: "M8 3.5h7l4 4v9.5H8zM15 3.5v4h4M8 7H5v13.5h11V17",
  undo: "M4 9h10a5.5 5.5 0 0 1 0 11H9M8 5 4 9l4 4",
} as const;

export type IconName = keyof typeof paths;

/** A line drawing in the text's colour; always beside a word that says the same. */
export function Icon({ name, className }: { readonly name: IconName; readonly className?: string }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 24 24"
      className={classes("size-4 shrink-0", className)}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={paths[name]} />
    </svg>
  );
}
