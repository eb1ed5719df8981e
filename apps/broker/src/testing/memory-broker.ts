import type { Connector } from "@keyloan/contract";
import { expect } from "vitest";
import { createTestBroker, type TestBroker, type TestBrokerOptions } from "./create-test-broker.ts";
import { createMemoryConnectors, type MemoryConnectors } from "./memory-connectors.ts";
import type { TestPage } from "./open-page.ts";

/** What a user has at the connectors in memory, by connector. */
export const ownValues = {
  "memory-database": { MEMORY_DATABASE_NAME: "own-database", MEMORY_DATABASE_TOKEN: "own-database-token" },
  "memory-files": { MEMORY_FILES_NAME: "own-files", MEMORY_FILES_TOKEN: "own-files-token" },
} as const;

export const memoryConnectorIds: readonly string[] = Object.keys(ownValues);

export type MemoryBroker = {
  readonly memory: MemoryConnectors;
  readonly broker: TestBroker;
  readonly close: () => Promise<void>;
};

/**
 * A broker that lends what is in memory, and a user who has a database of their own there.
 * @param change the connectors that are installed
 */
export async function createMemoryBroker(
  options: Pick<TestBrokerOptions, "config"> = {},
  change: (connectors: readonly Connector[]) => readonly Connector[] = (connectors) => connectors,
): Promise<MemoryBroker> {
  const memory = createMemoryConnectors();
  const broker = await createTestBroker({ ...options, emulators: [], connectors: change(memory.connectors) });
  memory.databases.add("own-database");
  const close = async () => {
    await broker.close();
    memory.databases.close();
  };
  return { memory, broker, close };
}

/** Lets the user have an empty database and bucket again. */
export function emptyOwn({ databases, storage }: MemoryConnectors): void {
  databases.remove("own-database");
  databases.add("own-database");
  storage.bucket("own-files").clear();
}

/** Saves all that the user has, on the page. */
export async function saveOwn(page: TestPage): Promise<void> {
  for (const [connector, values] of Object.entries(ownValues))
    expect((await page.save(connector, values)).status).toBe(200);
}

/** The tokens that act without a page: the admin's, and a platform's that may do everything with builds. */
export async function tokensOf(broker: TestBroker): Promise<Readonly<Record<"admin" | "platform", string>>> {
  const scopes = ["builds:read", "builds:write", "tokens:write"];
  const made = await broker.call("POST", "/v1/tokens", { body: { name: "platform", scopes } });
  return { admin: broker.adminToken, platform: (made.body as { token: string }).token };
}
