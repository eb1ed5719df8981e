import type { ArchiveStore } from "@keyloan/archive-store";
import { BrokerError, type Connector, type ConnectorContext } from "@keyloan/contract";
import type { Store } from "@keyloan/store";
import type { Fingerprinter, Keyring } from "@keyloan/vault";
import type { HeadDelivery } from "./audit-sink/head-delivery.ts";
import type { OutsideHeads } from "./audit-sink/outside-heads.ts";
import type { AuditWatch } from "./audit-watch.ts";
import type { KnownCallers } from "./auth/known-callers.ts";
import type { Tokens } from "./auth/tokens.ts";
import type { Change } from "./change.ts";
import type { BrokerConfig } from "./env.ts";
import type { Logger } from "./observe/logger.ts";
import type { Metrics } from "./observe/metrics.ts";
import type { JobRunner } from "./queue/runner.ts";
import type { FairSlots, Slots } from "./queue/slots.ts";
import type { Refusals } from "./refusals.ts";
import type { Signer } from "./signing.ts";
import type { HeldFiles } from "./verbs/databases/held-files.ts";
import type { WorkWatch } from "./work-watch.ts";

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
  /** Keeps how many files of databases it has made at once within bounds: one for a build, until that is read. */
  readonly fileSlots: FairSlots;
  /** Those that are made and not read to their end. */
  readonly heldFiles: HeldFiles;
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
  /** Whether background work goes through. */
  readonly workWatch: WorkWatch;
  readonly refusals: Refusals;
  readonly callers: KnownCallers;
  /** Signed heads that are known from outside the store. */
  readonly outsideHeads: OutsideHeads;
  /** Hands signed heads to the audit sink. */
  readonly headDelivery: HeadDelivery;
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Kinds of jobs that are due and not begun: the store is not what was signed, and may not know what became of them. */
  readonly heldBack: () => Promise<readonly string[]>;
  /** What share of its own waits the broker waits: for the next claim of jobs, for the next try of a call. */
  readonly pace: number;
  /** Names this process where it holds a job. */
  readonly workerId: string;
  /** The only way to change something: with its audit rows and its jobs, or not at all. */
  readonly change: Change;
  /** Runs jobs in this process. */
  readonly runner: JobRunner;
};

/** The connector of an id from a request. */
export function requireConnector(deps: Pick<Deps, "connectors">, id: string): Connector {
  const connector = deps.connectors.get(id);
  if (connector !== undefined) return connector;
  throw new BrokerError("unknown_connector", `there is no connector ${id}`, {
    remedy: `Use one of: ${[...deps.connectors.keys()].join(", ")}.`,
  });
}
