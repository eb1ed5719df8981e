import type { RotationView } from "@keyloan/contract";
import type { Io } from "./io.ts";
import { momentText } from "./moments.ts";
import { paintFor, paintState } from "./paint.ts";
import { printable, wrap } from "./terminal-text.ts";

/** Prints a rotation for a person: how far it is, and what is to be done. */
export function showRotation(io: Io, rotation: RotationView): void {
  const paint = paintFor(io, "stdout");
  const fact = (name: string, value: string) => io.out(`${paint("dim", name.padEnd(10))}${value}\n`);
  fact("Lease", `${printable(rotation.lease)} (${printable(rotation.connector)})`);
  fact("State", paintState(paint, rotation.state));
  if (rotation.overlapUntil !== undefined) fact("Overlap", `until ${momentText(rotation.overlapUntil)}`);
  if (rotation.cutAt !== undefined) fact("Cut", momentText(rotation.cutAt));
  const { provenDeadAt } = rotation;
  fact("Old dead", provenDeadAt === undefined ? "not proved" : `proved ${momentText(provenDeadAt)}`);
  io.out(`\n${wrap(printable(rotation.next), io.columns(), "  ").trimStart()}\n`);
}

const over: readonly RotationView["state"][] = ["done", "ended", "requires_action", "failed", "cancelled"];

/** Whether a rotation does not go on by itself any more. */
export function isOver(state: RotationView["state"]): boolean {
  return over.includes(state);
}
