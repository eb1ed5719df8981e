import type { Io } from "./io.ts";
import { paintFor, paintState } from "./paint.ts";
import { printable } from "./terminal-text.ts";

/** Prints a name and what it is on one line; nothing without a value. */
export type Fact = (name: string, value: string | undefined, as?: "state") => void;

/** @param width how many cells the names take */
export function factsOn(io: Io, width: number): Fact {
  const paint = paintFor(io, "stdout");
  return (name, value, as) => {
    if (value === undefined) return;
    const shown = as === "state" ? paintState(paint, value) : printable(value);
    io.out(`${paint("dim", name.padEnd(width))}${shown}\n`);
  };
}
