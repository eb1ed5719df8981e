import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { loadEmulators, type RunningEmulator } from "../../packages/connectors/src/emulators.ts";

export type StandIn = {
  /** The variable that gives the broker its address. */
  readonly urlVariable: string;
  readonly baseUrl: string;
  readonly orgFields: Readonly<Record<string, string>>;
};

export type StandIns = {
  readonly byConnector: Readonly<Record<string, StandIn>>;
  readonly emulators: ReadonlyMap<string, RunningEmulator>;
  readonly close: () => Promise<void>;
};

/** Starts the stand-in of every connector that has one, with its state under `folder`. */
export async function startStandIns(folder: string): Promise<StandIns> {
  const emulators = new Map<string, RunningEmulator>();
  const byConnector: Record<string, StandIn> = {};
  const close = async () => {
    await Promise.all([...emulators.values()].map((emulator) => emulator.close()));
  };
  try {
    for (const [id, start] of await loadEmulators()) {
      const stateDirectory = join(folder, id);
      await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
      const emulator = await start({ stateDirectory, port: 0 });
      emulators.set(id, emulator);
      const urlVariable = `KEYLOAN_${id.toUpperCase().replaceAll("-", "_")}_URL`;
      byConnector[id] = { urlVariable, baseUrl: emulator.baseUrl, orgFields: emulator.orgFields };
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { byConnector, emulators, close };
}
