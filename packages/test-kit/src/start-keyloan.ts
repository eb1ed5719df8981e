import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createTestBroker, type TestBroker, type TestBrokerOptions } from "@keyloan/broker/testing";
import type { StandIns } from "@keyloan/connectors/emulators";
import { createClient } from "@keyloan/sdk";
import {
  type BrokerProcess,
  builtFolder,
  newConfiguration,
  programIn,
  sourceProgram,
  startBrokerProcess,
} from "./broker-process.ts";
import { startChild } from "./child.ts";

/** What a broker must know of the stand-ins that it lends from. */
export type StandInKeys = Pick<StandIns, "urls" | "orgKeys">;

type ProcessOptions = {
  /** `child` runs the sources, `built` what `pnpm build` made of them. */
  readonly in: "child" | "built";
  /** Its data are kept in here. */
  readonly folder: string;
  /** Of the built broker; default where `pnpm build` leaves it. */
  readonly builtBroker?: string;
  /** Default: all of them, in one more process. */
  readonly standIns?: StandInKeys;
  /** Added to its configuration. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly nodeArguments?: readonly string[];
};

export type KeyloanProcess = BrokerProcess & {
  /** Its whole configuration, with which it can be started again. */
  readonly environment: Readonly<Record<string, string>>;
};

/**
 * Starts a whole broker that holds an org key of every stand-in.
 * - `process`: in this process, with a clock that a test moves, and no recurring work
 * - `child`, `built`: in a process of its own, without a rate limit
 */
export function startKeyloan(options: { readonly in: "process" } & TestBrokerOptions): Promise<TestBroker>;
export function startKeyloan(options: ProcessOptions): Promise<KeyloanProcess>;
export async function startKeyloan(
  options: ({ readonly in: "process" } & TestBrokerOptions) | ProcessOptions,
): Promise<TestBroker | KeyloanProcess> {
  if (options.in !== "process") return startInProcessOfItsOwn(options);
  const broker = await createTestBroker(options);
  await broker.putOrgKeys();
  return broker;
}

async function startInProcessOfItsOwn(options: ProcessOptions): Promise<KeyloanProcess> {
  const { folder, standIns, environment: added } = options;
  const ownStandIns =
    standIns === undefined ? await startStandInsProcess(join(folder, "stand-ins")) : undefined;
  let broker: BrokerProcess | undefined;
  try {
    const keys = standIns ?? ownStandIns?.keys ?? { urls: {}, orgKeys: {} };
    const environment = await configure(folder, { ...keys.urls, ...added });
    const program = options.in === "child" ? sourceProgram : programIn(options.builtBroker ?? builtFolder);
    broker = await startBrokerProcess(program, environment, options.nodeArguments);
    await putOrgKeys(broker, keys.orgKeys);
    const { stop } = broker;
    return { ...broker, environment, stop: () => stop().finally(ownStandIns?.stop) };
  } catch (error) {
    await broker?.stop();
    await ownStandIns?.stop();
    throw error;
  }
}

/** Starts every stand-in in one process of its own. */
export async function startStandInsProcess(
  folder: string,
): Promise<{ readonly keys: StandInKeys; readonly stop: () => Promise<void> }> {
  const { next, stop } = startChild(new URL("./serve-stand-ins.ts", import.meta.url), folder);
  return { keys: await next<StandInKeys>(), stop };
}

/** A configuration without a rate limit, with its data under the folder. */
async function configure(
  folder: string,
  added: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const data = join(folder, "data");
  await mkdir(data, { recursive: true });
  return { ...newConfiguration(data), KEYLOAN_RATE_LIMIT_PER_SECOND: "0", ...added };
}

/** Gives a broker the stand-ins' org keys, as an operator would. @throws KeyloanError when it refuses one */
export async function putOrgKeys(
  { url, adminToken }: Pick<BrokerProcess, "url" | "adminToken">,
  orgKeys: StandInKeys["orgKeys"],
): Promise<void> {
  const client = createClient({ url, token: adminToken, timeoutMs: 30_000 });
  for (const [id, fields] of Object.entries(orgKeys)) await client.orgKeys.put(id, fields);
}
