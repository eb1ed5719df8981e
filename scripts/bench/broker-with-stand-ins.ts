import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type BuiltBroker, expectApi, newConfiguration, startBuiltBroker } from "../built/built-broker.ts";
import type { StandIn } from "../built/stand-ins.ts";
import { startChild } from "./child.ts";

export type BrokerWithStandIns = {
  readonly broker: BuiltBroker;
  readonly stop: () => Promise<void>;
};

/** The built broker with an org key for every connector, at stand-ins that run in a process of their own. */
export async function startBrokerWithStandIns(folder: string): Promise<BrokerWithStandIns> {
  const child = startChild("../built/serve-stand-ins.ts", join(folder, "stand-ins"));
  try {
    const { broker, stop } = await startBrokerAt(await child.next<ByConnector>(), folder);
    return {
      broker,
      stop: async () => {
        await stop();
        await child.stop();
      },
    };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

export type ByConnector = Readonly<Record<string, StandIn>>;

/** The built broker with an org key for every connector, at the given stand-ins and without a rate limit. */
export async function startBrokerAt(standIns: ByConnector, folder: string): Promise<BrokerWithStandIns> {
  const broker = await startBuiltBroker(await configurationAt(standIns, folder));
  const stop = async () => void (await broker.stop());
  try {
    await putOrgKeys(broker, standIns);
    return { broker, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A configuration at the given stand-ins, without a rate limit, with its data under the folder. */
export async function configurationAt(
  standIns: ByConnector,
  folder: string,
): Promise<Record<string, string>> {
  const data = join(folder, "data");
  await mkdir(data, { recursive: true });
  const addresses = Object.values(standIns).map(({ urlVariable, baseUrl }) => [urlVariable, baseUrl]);
  return {
    ...newConfiguration(data),
    ...Object.fromEntries(addresses),
    KEYLOAN_RATE_LIMIT_PER_SECOND: "0",
  };
}

export async function putOrgKeys(broker: BuiltBroker, standIns: ByConnector): Promise<void> {
  for (const [id, { orgFields }] of Object.entries(standIns)) {
    await expectApi(200, broker, "PUT", `/v1/org-keys/${id}`, { fields: orgFields });
  }
}
