import { existsSync } from "node:fs";
import type { StartEmulator } from "./kit/emulator.ts";
import { connectors } from "./registry.ts";

export type { EmulatorOptions, Fault, FaultQueue, RunningEmulator, StartEmulator } from "./kit/emulator.ts";

/**
 * The stand-ins of all connectors that have one, by connector id. Development and tests only: nothing
 * that the broker imports leads here.
 */
export async function loadEmulators(): Promise<ReadonlyMap<string, StartEmulator>> {
  const found = new Map<string, StartEmulator>();
  for (const { spec } of connectors) {
    const url = new URL(`./${spec.id}/emulator.ts`, import.meta.url);
    if (!existsSync(url)) continue;
    const module: { startEmulator: StartEmulator } = await import(url.href);
    found.set(spec.id, module.startEmulator);
  }
  return found;
}
