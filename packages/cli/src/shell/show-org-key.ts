import type { OrgKeyView } from "@keyloan/contract";
import type { Io } from "./io.ts";
import { note, warn } from "./output.ts";
import { paintFor, paintState } from "./paint.ts";
import { printable } from "./terminal-text.ts";

/** Prints one version of an org key for a person: its state, its last check, what it may do. */
export function showOrgKey(io: Io, key: OrgKeyView): void {
  const paint = paintFor(io, "stdout");
  const account = key.account === undefined ? "" : `, account ${printable(key.account)}`;
  const mode = key.mode === undefined ? "" : `, ${key.mode} mode`;
  io.out(
    `${printable(key.connector)}: version ${key.version} is ${paintState(paint, key.state)}${account}${mode}\n`,
  );
  io.out(
    `check: ${paintState(paint, key.checkStatus)}${key.checkMessage ? `, ${printable(key.checkMessage)}` : ""}\n`,
  );
  for (const capability of key.capabilities) {
    const state = paintState(paint, capability.state) + " ".repeat(Math.max(1, 13 - capability.state.length));
    const remedy = capability.remedy === undefined ? "" : `: ${printable(capability.remedy)}`;
    io.out(`  ${state}${printable(capability.name)}${remedy}\n`);
  }
  for (const text of key.warnings) warn(io, text);
  if (key.checkStatus === "undetermined") {
    note(io, "The provider could not be asked just now; the broker checks the key again automatically.");
  }
}
