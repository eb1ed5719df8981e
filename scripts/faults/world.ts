import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { newConfiguration, putOrgKeys, type StandIns, startStandIns } from "@keyloan/test-kit";
import { connectors } from "../../packages/connectors/src/index.ts";
import {
  type Connector,
  type ConnectorContext,
  type OrgCredential,
  ProviderError,
  type ResourceHandle,
  secretValues,
} from "../../packages/contract/src/index.ts";
import { startBrokerProcess } from "./broker-process.ts";

/** A resource of ours that a stand-in holds now. */
export type HeldResource = { readonly connectorId: string; readonly suffix: string; readonly name: string };

/** Stand-ins and a store with their org keys, from which each run starts. */
export type World = {
  readonly standIns: StandIns;
  /** The folder of the instrumented broker. */
  readonly built: string;
  /** A broker's configuration, but for its data directory. */
  readonly environment: Readonly<Record<string, string>>;
  readonly adminToken: string;
  /** A copy of the prepared store in `folder`. */
  readonly copyStore: (folder: string) => Promise<void>;
  /** Everything of ours at the providers, but for what was told before. */
  readonly listHeld: () => Promise<readonly HeldResource[]>;
  /** What a run left behind is told once: it says nothing of the next one. */
  readonly forget: (held: readonly HeldResource[]) => void;
  /** Whether a database of this handle is there; undefined for a connector without databases. */
  readonly databaseExists: (connectorId: string, handle: ResourceHandle) => Promise<boolean | undefined>;
  readonly close: () => Promise<void>;
};

export async function createWorld(folder: string, built: string): Promise<World> {
  const standIns = await startStandIns(join(folder, "providers"));
  const template = join(folder, "template");
  const environment: Record<string, string> = {
    ...newConfiguration(template),
    ...standIns.urls,
    KEYLOAN_RATE_LIMIT_PER_SECOND: "0",
    KEYLOAN_ALLOW_PRIVATE_ADDRESSES: "true",
    KEYLOAN_ISSUE_DEADLINE_SECONDS: "20",
    // Recurring work is not tested here, and would pass awaits at chance.
    KEYLOAN_ORG_KEY_CHECK_HOURS: "0",
    KEYLOAN_RECONCILE_HOURS: "0",
    KEYLOAN_ARCHIVE_AFTER_DAYS: "0",
    KEYLOAN_ORG_KEY_MAX_DAYS: "0",
  };
  const adminToken = environment.KEYLOAN_ADMIN_TOKEN ?? "";
  const forgotten = new Set<string>();
  await mkdir(template, { recursive: true });
  try {
    await prepareStore(standIns, built, environment, adminToken);
  } catch (error) {
    await standIns.close();
    throw error;
  }
  return {
    standIns,
    built,
    environment,
    adminToken,
    copyStore: (target) => cp(template, target, { recursive: true }),
    listHeld: async () => (await listHeld(standIns)).filter(({ name }) => !forgotten.has(name)),
    forget: (held) => {
      for (const { name } of held) forgotten.add(name);
    },
    databaseExists: (connectorId, handle) => databaseExists(standIns, connectorId, handle),
    close: standIns.close,
  };
}

async function prepareStore(
  standIns: StandIns,
  built: string,
  environment: Readonly<Record<string, string>>,
  adminToken: string,
): Promise<void> {
  const broker = await startBrokerProcess(built, environment);
  await putOrgKeys({ url: broker.url, adminToken }, standIns.orgKeys);
  await untilIdle(join(environment.KEYLOAN_DATA_DIR ?? "", "keyloan.db"));
  await broker.kill();
}

/** What a new key starts in the background is done before the store is copied. */
async function untilIdle(path: string): Promise<void> {
  const database = new DatabaseSync(path, { readOnly: true });
  const waiting = database.prepare("SELECT id FROM jobs WHERE state = 'waiting' AND kind <> 'notify'");
  try {
    for (let tries = 0; waiting.all().length > 0; tries++) {
      if (tries === 1_000) throw new Error("the prepared store does not come to rest");
      await delay(20);
    }
  } finally {
    database.close();
  }
}

async function listHeld(standIns: StandIns): Promise<HeldResource[]> {
  const held: HeldResource[] = [];
  for (const connector of connectors) {
    const list = connector.issuer?.list ?? connector.database?.list;
    const at = endOf(standIns, connector);
    if (list === undefined || at === undefined) continue;
    for await (const { suffix, buildSuffix, name } of list(at.context, at.org)) {
      held.push({ connectorId: connector.spec.id, suffix: suffix ?? buildSuffix ?? "", name });
    }
  }
  return held;
}

async function databaseExists(
  standIns: StandIns,
  connectorId: string,
  handle: ResourceHandle,
): Promise<boolean | undefined> {
  const connector = connectors.find(({ spec }) => spec.id === connectorId);
  const at = connector === undefined ? undefined : endOf(standIns, connector);
  if (connector?.database === undefined || at === undefined) return undefined;
  const lease = { leaseId: "", buildId: "", expiresAt: 0, options: undefined, handle };
  try {
    await connector.database.locate(at.context, at.org, lease);
    return true;
  } catch (error) {
    if (error instanceof ProviderError && error.code === "not_found") return false;
    throw error;
  }
}

function endOf(
  standIns: StandIns,
  connector: Connector,
): { readonly context: ConnectorContext; readonly org: OrgCredential } | undefined {
  const standIn = standIns.emulators.get(connector.spec.id);
  if (standIn === undefined) return undefined;
  const context: ConnectorContext = {
    fetch: globalThis.fetch,
    baseUrl: standIn.baseUrl,
    signal: AbortSignal.timeout(30_000),
    now: Date.now,
    randomBytes: (size) => crypto.getRandomValues(new Uint8Array(size)),
  };
  return { context, org: { version: 1, fields: secretValues({ ...standIn.orgFields }), facts: {} } };
}
