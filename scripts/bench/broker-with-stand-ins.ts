import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type BuiltBroker, expectApi, newConfiguration, startBuiltBroker } from "../built/built-broker.ts";
import type { StandIn } from "../built/stand-ins.ts";
import { startChild } from "./child.ts";

export type BrokerWithStandIns = {
  readonly broker: BuiltBroker;
  readonly stop: () => Promise<void>;
};

/**
 * The built broker with an org key for every connector, at stand-ins that run in a process of their own.
 * @param settings configuration that is added
 * @param through gives the address to use instead of a stand-in's own
 */
export async function startBrokerWithStandIns(
  folder: string,
  settings: Readonly<Record<string, string>> = {},
  through: (connectorId: string, baseUrl: string) => Promise<string> = async (_id, baseUrl) => baseUrl,
): Promise<BrokerWithStandIns> {
  const data = join(folder, "data");
  await mkdir(data, { recursive: true });
  const child = startChild("../built/serve-stand-ins.ts", join(folder, "stand-ins"));
  try {
    const standIns = await child.next<Readonly<Record<string, StandIn>>>();
    const environment: Record<string, string> = {
      ...newConfiguration(data),
      KEYLOAN_RATE_LIMIT_PER_SECOND: "0",
      ...settings,
    };
    for (const [id, { urlVariable, baseUrl }] of Object.entries(standIns)) {
      environment[urlVariable] = await through(id, baseUrl);
    }
    const broker = await startBuiltBroker(environment);
    for (const [id, { orgFields }] of Object.entries(standIns)) {
      await expectApi(200, broker, "PUT", `/v1/org-keys/${id}`, { fields: orgFields });
    }
    const stop = async () => {
      await broker.stop();
      await child.stop();
    };
    return { broker, stop };
  } catch (error) {
    await child.stop();
    throw error;
  }
}
