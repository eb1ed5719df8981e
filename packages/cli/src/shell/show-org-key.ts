import type { OrgKeyView } from "@keyloan/contract";
import type { Io } from "./io.ts";
import { note, warn } from "./output.ts";
import { paintFor, paintState } from "./paint.ts";
import { printable } from "./terminal-text.ts";

/** Prints one version of an org key for a person: its state, its last check, what it may do. */
export function showOrgKey(io: Io, key: OrgKeyView): void {
  const paint = paintFor(io, "stdout");
  const account = key.account === undefined ? "" : `, account ${key.account}`;
  const mode = key.mode === undefined ? "" : `, ${key.mode} mode`;
  const version = printable(`${key.connector}: version ${key.version} is `);
  io.out(`${version}${paintState(paint, key.state)}${printable(account + mode)}\n`);
  const message = key.checkMessage ? printable(`, ${key.checkMessage}`) : "";
  io.out(`check: ${paintState(paint, key.checkStatus)}${message}\n`);
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
