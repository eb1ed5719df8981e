import type { RotationView } from "@keyloan/contract";
import { factsOn } from "./facts.ts";
import type { Io } from "./io.ts";
import { momentText } from "./moments.ts";
import { wrap } from "./terminal-text.ts";

/** Prints a rotation for a person: how far it is, and what is to be done. */
export function showRotation(io: Io, rotation: RotationView): void {
  const fact = factsOn(io, 10);
  fact("Lease", `${rotation.lease} (${rotation.connector})`);
  fact("State", rotation.state, "state");
  if (rotation.overlapUntil !== undefined) fact("Overlap", `until ${momentText(rotation.overlapUntil)}`);
  if (rotation.cutAt !== undefined) fact("Cut", momentText(rotation.cutAt));
  const { provenDeadAt } = rotation;
  fact("Old dead", provenDeadAt === undefined ? "not proved" : `proved ${momentText(provenDeadAt)}`);
  io.out(`\n${wrap(rotation.next, io.columns(), "  ").trimStart()}\n`);
}

const over: readonly RotationView["state"][] = ["done", "ended", "requires_action", "failed", "cancelled"];

/** Whether a rotation does not go on by itself any more. */
export function isOver(state: RotationView["state"]): boolean {
  return over.includes(state);
}
