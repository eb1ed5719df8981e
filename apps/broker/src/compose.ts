import { join } from "node:path";
import { type ArchiveStore, openArchiveStore } from "@keyloan/archive-store";
import { connectors as allConnectors } from "@keyloan/connectors";
import { type Connector, newId } from "@keyloan/contract";
import { createGuardedFetch } from "@keyloan/key-validator";
import { openStore, type Store } from "@keyloan/store";
import { createTokenCheck, parseKeyring, ready } from "@keyloan/vault";
import { createHeadDelivery } from "./audit-sink/head-delivery.ts";
import { createOutsideHeads } from "./audit-sink/outside-heads.ts";
import { type AuditWatch, createAuditWatch } from "./audit-watch.ts";
import { createKnownCallers } from "./auth/known-callers.ts";
import { createTokens, hashToken } from "./auth/tokens.ts";
import { createChange } from "./change.ts";
import type { Deps } from "./deps.ts";
import type { BrokerConfig } from "./env.ts";
import { createLogger } from "./observe/logger.ts";
import { createMetrics } from "./observe/metrics.ts";
import { openAudit } from "./open-audit.ts";
import { ensureOrganization, openFingerprinter } from "./organization.ts";
import { createPooledRandom } from "./pooled-random.ts";
import { createLimitedFetch } from "./queue/limited-fetch.ts";
import { createJobRunner } from "./queue/runner.ts";
import { createFairSlots, createSlots } from "./queue/slots.ts";
import { createRefusals } from "./refusals.ts";
import { withOrgDataKey } from "./sealing/data-key.ts";
import { createSigner } from "./signing.ts";
import { isDegraded } from "./verbs/audit/audit-standing.ts";
import { createHeldFiles } from "./verbs/databases/held-files.ts";
import { jobDefinitions } from "./work.ts";
import { createWorkWatch } from "./work-watch.ts";

/** Each holds buffers and a scratch database, so more at once would only be slower. */
const movedAtOnceMax = 3;
/** Each is a process of its own, which may be kept busy by what is in the database. */
const filesAtOnceMax = 2;
/** What slow readers may keep on the disk together; the two that are being made when it is reached come on top. */
const heldFilesMax = { filesMax: 20, bytesMax: 8 * 1024 ** 3 };
/** As long as a part of a large file may take; what checks a key gives up much sooner by itself. */
const guardedTimeoutMs = 60_000;

export type DepsOverrides = Partial<Pick<Deps, "now" | "randomBytes" | "sleep" | "logger" | "pace">> & {
  readonly connectors?: readonly Connector[];
  readonly fetch?: typeof globalThis.fetch;
  readonly migrationsFolder?: string;
};

/**
 * The composition root: opens the store and the keyring, makes the org on the first start, and puts together everything
 * the broker's parts use.
 * @throws StoreError, VaultError, or Error with one sentence each when the broker cannot start
 */
export async function composeDeps(config: BrokerConfig, overrides: DepsOverrides = {}): Promise<Deps> {
  await ready;
  const auditWatch = createAuditWatch();
  const { migrationsFolder } = overrides;
  const store = await openStore({
    path: join(config.dataDirectory, "keyloan.db"),
    onAudited: auditWatch.noteAudited,
    ...(migrationsFolder === undefined ? {} : { migrationsFolder }),
  });
  try {
    return await composeOver(store, auditWatch, config, overrides);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function composeOver(
  store: Store,
  auditWatch: AuditWatch,
  config: BrokerConfig,
  overrides: DepsOverrides,
): Promise<Deps> {
  const keyring = parseKeyring(config.rootKey.reveal());
  const now = overrides.now ?? Date.now;
  const randomBytes = overrides.randomBytes ?? createPooledRandom();
  const logger = overrides.logger ?? createLogger(config.logLevel);
  const organizationId = await ensureOrganization(store, keyring, now, randomBytes);
  await openAudit({ store, keyring, organizationId, now, randomBytes, logger });
  const metrics = createMetrics(store, now);
  const adminTokenHash = hashToken(config.adminToken.reveal());
  const check = await withOrgDataKey({ store, keyring, organizationId }, createTokenCheck);
  const fetch = overrides.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const parts = {
    config,
    store,
    keyring,
    fingerprint: await openFingerprinter(store, keyring, organizationId),
    organizationId,
    signer: createSigner({ store, keyring, organizationId, now, randomBytes }),
    archives: archiveStoreOf(config, fetch),
    movingSlots: createSlots(movedAtOnceMax),
    fileSlots: createFairSlots(filesAtOnceMax),
    heldFiles: createHeldFiles(heldFilesMax),
    connectors: new Map(
      (overrides.connectors ?? allConnectors).map((connector) => [connector.spec.id, connector]),
    ),
    ...connectorContexts({ config, store, now, randomBytes, fetch }),
    fetch,
    adminTokenHash,
    tokens: createTokens({ check, adminTokenHash, randomBytes }),
    logger,
    metrics,
    auditWatch,
    workWatch: createWorkWatch(),
    callers: createKnownCallers(),
    refusals: createRefusals({ store, now, randomBytes, logger, metrics, auditWatch }),
    outsideHeads: createOutsideHeads(now()),
    now,
    randomBytes,
    sleep: overrides.sleep ?? sleep,
    pace: overrides.pace ?? 1,
    workerId: newId("job", randomBytes),
  };
  const runner = createJobRunner(() => deps, jobDefinitions);
  const heldBack = async () => {
    const isDue = await store.read.jobs.isDue(kindsHeldBack, now());
    return isDue && (await isDegraded(deps)) ? kindsHeldBack : [];
  };
  const complete = { ...parts, runner, heldBack, change: createChange({ ...parts, runner }) };
  const deps: Deps = { ...complete, headDelivery: createHeadDelivery(complete) };
  addAuditGauges(deps);
  return deps;
}

const kindsHeldBack = Object.entries(jobDefinitions).flatMap(([kind, { whileDegraded }]) =>
  whileDegraded === true ? [] : [kind],
);

function addAuditGauges(deps: Deps): void {
  deps.metrics.addGauge(
    "keyloan_audit_degraded",
    "1 while the audit differs from what was signed",
    async () => ((await isDegraded(deps)) ? 1 : 0),
  );
  deps.metrics.addGauge(
    "keyloan_audit_sink_undelivered_heads",
    "Signed heads that the audit sink has not accepted yet",
    async () => (await deps.headDelivery.state())?.undelivered ?? 0,
  );
}

type ContextParts = Pick<Deps, "config" | "store" | "now" | "randomBytes" | "fetch">;

/** What a connector is called with: within the provider's limits, or through the address guard. */
function connectorContexts({
  config,
  store,
  now,
  randomBytes,
  fetch,
}: ContextParts): Pick<Deps, "contextFor" | "userContextFor"> {
  const limitedFetch = createLimitedFetch({ store, now, fetch });
  const guardedFetchFor = ({ spec }: Connector) => {
    const baseUrl = config.providerUrls[spec.id];
    // The operator's own choice of an address needs no guard, but where values name addresses a user could name it too.
    const isTyped = spec.env.some(({ role }) => role === "address");
    return createGuardedFetch({
      timeoutMs: guardedTimeoutMs,
      allowPrivate: config.allowPrivateAddresses,
      allowedOrigins: baseUrl === undefined || isTyped ? [] : [new URL(baseUrl).origin],
    });
  };
  const contextOf =
    (fetchFor: (connector: Connector) => typeof globalThis.fetch) =>
    (connector: Connector, signal: AbortSignal) => {
      const baseUrl = config.providerUrls[connector.spec.id];
      return {
        fetch: fetchFor(connector),
        signal,
        now,
        randomBytes,
        ...(baseUrl === undefined ? {} : { baseUrl }),
      };
    };
  return { contextFor: contextOf(limitedFetch), userContextFor: contextOf(guardedFetchFor) };
}

function archiveStoreOf(
  { archiveS3, archiveDirectory, dataDirectory }: BrokerConfig,
  fetch: typeof globalThis.fetch,
): ArchiveStore {
  if (archiveS3 !== undefined) return openArchiveStore({ kind: "s3", fetch, ...archiveS3 });
  return openArchiveStore({ kind: "file", directory: archiveDirectory ?? join(dataDirectory, "archives") });
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal?.aborted === true) done();
    else signal?.addEventListener("abort", done, { once: true });
  });
}
