import type { RotationView } from "@keyloan/contract";
import { CommandError, type Invocation } from "./command.ts";
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

/** A lease by its id, or by the build and the connector. */
export async function leaseIdOf({ args, connect }: Invocation): Promise<string> {
  const [first = "", connector] = args.positionals;
  if (connector === undefined) return first;
  const build = await connect().builds.get(first);
  const lease = build.leases.find((each) => each.connector === connector);
  if (lease !== undefined) return lease.id;
  const ids = build.leases.map((each) => each.connector).join(", ");
  throw new CommandError(
    "not_found",
    `The build has no lease of "${connector}".`,
    `It has: ${ids || "none"}.`,
  );
}
