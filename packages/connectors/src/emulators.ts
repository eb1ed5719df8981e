import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { providerUrlVariable } from "@keyloan/contract";
import type { RunningEmulator, StartEmulator } from "./kit/emulator.ts";
import { connectors } from "./registry.ts";

export type { EmulatorOptions, Fault, FaultQueue, RunningEmulator, StartEmulator } from "./kit/emulator.ts";

/**
 * The stand-ins of all connectors that have one, by connector id. Development and tests only: nothing
 * that the broker imports leads here.
 * @param ids only these, so that no other has to be loaded
 */
export async function loadEmulators(ids?: readonly string[]): Promise<ReadonlyMap<string, StartEmulator>> {
  const found = new Map<string, StartEmulator>();
  for (const { spec } of connectors) {
    if (ids?.includes(spec.id) === false) continue;
    const url = new URL(`./${spec.id}/emulator.ts`, import.meta.url);
    if (!existsSync(url)) continue;
    const module: { startEmulator: StartEmulator } = await import(url.href);
    found.set(spec.id, module.startEmulator);
  }
  return found;
}

export type StandIns = {
  readonly emulators: ReadonlyMap<string, RunningEmulator>;
  /** The variables that give a broker their addresses. */
  readonly urls: Readonly<Record<string, string>>;
  /** The org's keys, by connector id. */
  readonly orgKeys: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly close: () => Promise<void>;
};

/**
 * Starts stand-ins on free ports of 127.0.0.1, with their state under `folder`.
 * @param ids of the connectors; default every one that has a stand-in
 */
export async function startStandIns(folder: string, ids?: readonly string[]): Promise<StandIns> {
  const emulators = new Map<string, RunningEmulator>();
  const close = async () => {
    await Promise.all([...emulators.values()].map((emulator) => emulator.close()));
  };
  try {
    for (const [id, start] of await loadEmulators(ids)) {
      const stateDirectory = join(folder, id);
      await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
      emulators.set(id, await start({ stateDirectory, port: 0 }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  const each = [...emulators];
  return {
    emulators,
    urls: Object.fromEntries(each.map(([id, { baseUrl }]) => [providerUrlVariable(id), baseUrl])),
    orgKeys: Object.fromEntries(each.map(([id, { orgFields }]) => [id, orgFields])),
    close,
  };
}
