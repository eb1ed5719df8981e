import {
  createKeyedProvider,
  createMemoryConnectors,
  finishWork,
  type KeyedProvider,
  type MemoryConnectors,
  type TestBroker,
  type TestBrokerOptions,
} from "@keyloan/broker/testing";
import { connectors as allConnectors } from "@keyloan/connectors";
import type { Connector } from "@keyloan/contract";
import { expectApi } from "./call-api.ts";
import { startKeyloan } from "./start-keyloan.ts";
import { type WatchedNetwork, watchRequests } from "./watch-requests.ts";

/** A broker in this process as a client sees it: `url` leads through the watched network. */
export type WatchedKeyloan = TestBroker &
  WatchedNetwork & {
    readonly memory: MemoryConnectors;
    readonly provider: KeyedProvider;
    /** A platform's token that may do everything with builds. */
    readonly createApiToken: () => Promise<string>;
    /** Does the work that is due now, until there is none. */
    readonly finishWork: () => Promise<void>;
  };

/**
 * Starts a broker that lends generated secrets and what is in memory (`memory-database`, `memory-files` and, by an org
 * key, `memory-keys`), with a watched network before it.
 * @param change the connectors that are installed
 */
export async function startWatchedKeyloan(
  config: NonNullable<TestBrokerOptions["config"]> = {},
  change: (connectors: readonly Connector[]) => readonly Connector[] = (connectors) => connectors,
): Promise<WatchedKeyloan> {
  const memory = createMemoryConnectors();
  const provider = createKeyedProvider();
  const appSecrets = allConnectors.filter(({ spec }) => spec.orgFields.length === 0);
  const connectors = change([...memory.connectors, provider.connector, ...appSecrets]);
  const broker = await startKeyloan({ in: "process", emulators: [], connectors, config });
  const network = await watchRequests(() => broker.url);
  await expectApi(200, broker, "PUT", "/v1/org-keys/memory-keys", { fields: provider.orgKey });
  return {
    ...broker,
    ...network,
    memory,
    provider,
    finishWork: () => finishWork(broker.running().deps),
    createApiToken: async () => {
      const body = { name: "platform", scopes: ["builds:read", "builds:write", "tokens:write"] };
      return (await expectApi<{ token: string }>(201, broker, "POST", "/v1/tokens", body)).token;
    },
    close: async () => {
      await network.close();
      await broker.close();
      memory.databases.close();
    },
  };
}
