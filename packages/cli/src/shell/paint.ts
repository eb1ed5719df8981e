import type { Io } from "./io.ts";
import { printable } from "./terminal-text.ts";

const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;

export type Paint = (style: keyof typeof codes, text: string) => string;

/** Colours for one stream: only on a terminal, and never with NO_COLOR or TERM=dumb. */
export function paintFor(io: Io, stream: "stdout" | "stderr"): Paint {
  const terminal = stream === "stdout" ? io.stdoutIsTerminal() : io.stderrIsTerminal();
  if (!terminal || io.env.NO_COLOR || io.env.TERM === "dumb") return (_style, text) => text;
  return (style, text) => `\u001b[${codes[style][0]}m${text}\u001b[${codes[style][1]}m`;
}

const stateStyles: Readonly<Record<string, keyof typeof codes>> = {
  ready: "green",
  active: "green",
  valid: "green",
  works: "green",
  ok: "green",
  failed: "red",
  invalid: "red",
  missing: "red",
  requires_action: "red",
  done: "green",
  provisioning: "yellow",
  planned: "yellow",
  undetermined: "yellow",
  warning: "yellow",
};

/** A state in the colour of what it means. */
export function paintState(paint: Paint, state: string): string {
  const style = stateStyles[state];
  return style === undefined ? printable(state) : paint(style, state);
}
