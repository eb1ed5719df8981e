import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  buildBroker,
  builtFolder,
  newConfiguration,
  programIn,
  putOrgKeys,
  type StandIns,
  startBrokerProcess,
  startStandIns,
} from "@keyloan/test-kit";
import { createGround, type Ground } from "./ground.ts";

/** Everything on one machine: the broker that ships, its store, and the stand-ins it lends from. */
export type Machine = {
  readonly ground: Ground;
  readonly standIns: StandIns;
  /** What the running broker was configured with. */
  readonly environment: Readonly<Record<string, string>>;
  /** A new folder for one attack. */
  readonly newFolder: (name: string) => Promise<string>;
  /** A whole configuration at the stand-ins, for a broker of one attack on a data folder of its own. */
  readonly configure: (dataFolder: string) => Readonly<Record<string, string>>;
  /** Starts such a broker; whoever starts it stops it. */
  readonly start: (environment: Readonly<Record<string, string>>) => Promise<OwnBroker>;
  readonly close: () => Promise<void>;
};

export type OwnBroker = { readonly ground: Ground; readonly stop: () => Promise<void> };

export const storePathIn = (dataFolder: string) => join(dataFolder, "keyloan.db");

/** Builds the broker, and starts it with the limits that it has by default. */
export async function startMachine(): Promise<Machine> {
  console.log("Building the broker…");
  buildBroker();
  const folder = await mkdtemp(join(tmpdir(), "keyloan-attack-"));
  const standIns = await startStandIns(join(folder, "providers"));
  const closing: (() => Promise<unknown>)[] = [standIns.close];
  const close = async () => {
    for (const end of closing.toReversed()) await end();
    await rm(folder, { recursive: true, force: true });
  };
  const newFolder = async (name: string) => {
    await mkdir(join(folder, "attacks"), { recursive: true });
    return mkdtemp(join(folder, "attacks", `${name}-`));
  };
  const configure = (dataFolder: string) => configuration(standIns, dataFolder);
  try {
    const data = join(folder, "data");
    await mkdir(data);
    const environment = configure(data);
    const broker = await startBrokerProcess(programIn(builtFolder), environment);
    closing.push(broker.stop);
    await putOrgKeys(broker, standIns.orgKeys);
    const ground = createGround(broker.url, broker.adminToken);
    return { ground, standIns, environment, newFolder, configure, start, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(environment: Readonly<Record<string, string>>): Promise<OwnBroker> {
  const broker = await startBrokerProcess(programIn(builtFolder), environment);
  return {
    ground: createGround(broker.url, broker.adminToken),
    stop: async () => void (await broker.stop()),
  };
}

function configuration(standIns: StandIns, dataFolder: string): Record<string, string> {
  return {
    ...newConfiguration(dataFolder),
    ...standIns.urls,
    KEYLOAN_ALLOW_PRIVATE_ADDRESSES: "true",
  };
}
