import { join } from "node:path";
import { type ArchiveStore, openArchiveStore } from "@keyloan/archive-store";
import { connectors as allConnectors } from "@keyloan/connectors";
import { BrokerError, type Connector, type ConnectorContext, newId } from "@keyloan/contract";
import { createGuardedFetch } from "@keyloan/key-validator";
import { openStore, type Store } from "@keyloan/store";
import { createTokenCheck, type Fingerprinter, type Keyring, parseKeyring, ready } from "@keyloan/vault";
import { createHeadDelivery, type HeadDelivery } from "./audit-sink/head-delivery.ts";
import { createOutsideHeads, type OutsideHeads } from "./audit-sink/outside-heads.ts";
import { type AuditWatch, createAuditWatch } from "./audit-watch.ts";
import type { BrokerConfig } from "./env.ts";
import { createLimitedFetch } from "./jobs/limited-fetch.ts";
import { createFairSlots, createSlots, type FairSlots, type Slots } from "./jobs/slots.ts";
import { createKnownCallers, type KnownCallers } from "./known-callers.ts";
import { createLogger, type Logger } from "./observe/logger.ts";
import { createMetrics, type Metrics } from "./observe/metrics.ts";
import { withOrgDataKey } from "./org-data-key.ts";
import { ensureOrganization, openFingerprinter } from "./organization.ts";
import { createPooledRandom } from "./pooled-random.ts";
import { createRefusals, type Refusals } from "./refusals.ts";
import { createSigner, type Signer } from "./signing.ts";
import { createTokens, hashToken, type Tokens } from "./tokens.ts";
import { upgradeAudit } from "./upgrade-audit.ts";
import { findStandingProblem } from "./verbs/audit/audit-standing.ts";

/** Everything the broker's parts use of the outside; functions take the members they need. */
export type Deps = {
  readonly config: BrokerConfig;
  readonly store: Store;
  readonly keyring: Keyring;
  readonly fingerprint: Fingerprinter;
  readonly organizationId: string;
  /** Signs for the org with a key that others can check. */
  readonly signer: Signer;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly archives: ArchiveStore;
  /** Keeps how many databases this process moves at once within bounds. */
  readonly movingSlots: Slots;
  /** Keeps how many files of databases it has made at once within bounds: one for a build. */
  readonly fileSlots: FairSlots;
  /** What a connector may use, ending with `signal`. */
  readonly contextFor: (connector: Connector, signal: AbortSignal) => ConnectorContext;
  /** The same for values a user typed: addresses they name are guarded. */
  readonly userContextFor: (connector: Connector, signal: AbortSignal) => ConnectorContext;
  /** For addresses of the operator's own choice; connectors get theirs from `contextFor`. */
  readonly fetch: typeof globalThis.fetch;
  readonly adminTokenHash: string;
  /** Makes tokens, link codes and cookies, and knows them again. */
  readonly tokens: Tokens;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Which requests under way are in the audit, and whether it could be written. */
  readonly auditWatch: AuditWatch;
  readonly refusals: Refusals;
  readonly callers: KnownCallers;
  /** Signed heads that are known from outside the store. */
  readonly outsideHeads: OutsideHeads;
  /** Hands signed heads to the audit sink. */
  readonly headDelivery: HeadDelivery;
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Names this process where it holds a job. */
  readonly workerId: string;
};

export type DepsOverrides = Partial<Pick<Deps, "now" | "randomBytes" | "sleep" | "logger">> & {
  readonly connectors?: readonly Connector[];
  readonly fetch?: typeof globalThis.fetch;
  readonly migrationsFolder?: string;
};

/**
 * The composition root: opens the store and the keyring and makes the org on the first start.
 * @throws StoreError, VaultError, or Error with one sentence each when the broker cannot start
 */
export async function createDeps(config: BrokerConfig, overrides: DepsOverrides = {}): Promise<Deps> {
  await ready;
  const keyring = parseKeyring(config.rootKey.reveal());
  const migrations =
    overrides.migrationsFolder === undefined ? {} : { migrationsFolder: overrides.migrationsFolder };
  const auditWatch = createAuditWatch();
  const store = await openStore({
    path: join(config.dataDirectory, "keyloan.db"),
    onAudited: auditWatch.noteAudited,
    ...migrations,
  });
  try {
    const now = overrides.now ?? Date.now;
    const random = overrides.randomBytes ?? createPooledRandom();
    const logger = overrides.logger ?? createLogger(config.logLevel);
    const organizationId = await ensureOrganization(store, keyring, now, random);
    await upgradeAudit({ store, keyring, organizationId, now, randomBytes: random });
    const fetch = overrides.fetch ?? ((input, init) => globalThis.fetch(input, init));
    const limitedFetch = createLimitedFetch({ store, now, fetch });
    const guardedFetch = createGuardedFetch({
      // As long as a part of a large file may take; what checks a key gives up much sooner by itself.
      timeoutMs: 60_000,
      allowPrivate: config.allowPrivateAddresses,
      // The operator's own choice of a provider's address needs no guard.
      allowedOrigins: Object.values(config.providerUrls).map((url) => new URL(url).origin),
    });
    const metrics = createMetrics(store, now);
    const adminTokenHash = hashToken(config.adminToken.reveal());
    const check = await withOrgDataKey({ store, keyring, organizationId }, createTokenCheck);
    const base: Omit<Deps, "headDelivery"> = {
      config,
      store,
      keyring,
      fingerprint: await openFingerprinter(store, keyring, organizationId),
      organizationId,
      signer: createSigner({ store, keyring, organizationId, now, randomBytes: random }),
      archives: archiveStoreOf(config),
      movingSlots: createSlots(movedAtOnceMax),
      fileSlots: createFairSlots(filesAtOnceMax),
      connectors: new Map(
        (overrides.connectors ?? allConnectors).map((connector) => [connector.spec.id, connector]),
      ),
      contextFor: (connector, signal) => {
        const baseUrl = config.providerUrls[connector.spec.id];
        const base = baseUrl === undefined ? {} : { baseUrl };
        return { fetch: limitedFetch(connector), signal, now, randomBytes: random, ...base };
      },
      userContextFor: ({ spec }, signal) => {
        const baseUrl = config.providerUrls[spec.id];
        const base = baseUrl === undefined ? {} : { baseUrl };
        return { fetch: guardedFetch, signal, now, randomBytes: random, ...base };
      },
      fetch,
      adminTokenHash,
      tokens: createTokens({ check, adminTokenHash, randomBytes: random }),
      logger,
      metrics,
      auditWatch,
      callers: createKnownCallers(),
      refusals: createRefusals({ store, now, randomBytes: random, logger, metrics, auditWatch }),
      outsideHeads: createOutsideHeads(now()),
      now,
      randomBytes: random,
      sleep: overrides.sleep ?? sleep,
      workerId: newId("job", random),
    };
    const headDelivery = createHeadDelivery(base);
    base.metrics.addGauge("keyloan_audit_degraded", "1 while the audit is not what was signed", async () =>
      (await findStandingProblem(base)) === undefined ? 0 : 1,
    );
    base.metrics.addGauge(
      "keyloan_audit_sink_undelivered_heads",
      "Signed heads that the audit sink has not taken yet",
      async () => (await headDelivery.state())?.undelivered ?? 0,
    );
    return { ...base, headDelivery };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The connector of an id from a request. */
export function requireConnector(deps: Pick<Deps, "connectors">, id: string): Connector {
  const connector = deps.connectors.get(id);
  if (connector !== undefined) return connector;
  throw new BrokerError("unknown_connector", `there is no connector ${id}`, {
    remedy: `Use one of: ${[...deps.connectors.keys()].join(", ")}.`,
  });
}

function archiveStoreOf({ archiveS3, archiveDirectory, dataDirectory }: BrokerConfig): ArchiveStore {
  if (archiveS3 !== undefined) return openArchiveStore({ kind: "s3", ...archiveS3 });
  return openArchiveStore({ kind: "file", directory: archiveDirectory ?? join(dataDirectory, "archives") });
}

/** Each holds buffers and a scratch database, so more at once would only be slower. */
const movedAtOnceMax = 3;
/** Each is a process of its own, which may be kept busy by what is in the database. */
const filesAtOnceMax = 2;

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
