import type { ConnectorContext, OrgCredential, PlannedLease, ResourceHandle } from "./connector.ts";
import type { SecretValues } from "./secret.ts";

/** What of ours a provider holds: recognised by a name only we make, so that nothing foreign is touched. */
export type ListedResource = {
  /** The part of a lease's handle that this is: enough for `drop` or `revoke` to end it, and nothing else. */
  readonly handle: ResourceHandle;
  /** For a person: the name at the provider. */
  readonly name: string;
} & (
  | {
      /** {@link idSuffix} of the lease, or of the scratch database, that it was made for. */
      readonly suffix: string;
      readonly buildSuffix?: undefined;
    }
  | {
      /** {@link idSuffix} of the build: all that the name tells. It is in use while any lease of the build is. */
      readonly buildSuffix: string;
      readonly suffix?: undefined;
    }
);

/** One table: how many rows, and one hash over all of them. */
export type TableSummary = { readonly name: string; readonly rows: number; readonly sha256: string };

/** Two databases with equal summaries hold the same. */
export type DatabaseSummary = {
  /** Over every table, index, view and trigger definition, and what else belongs to a database but no table. */
  readonly schemaSha256: string;
  /** Ordered by name. */
  readonly tables: readonly TableSummary[];
};

/** Told now and then while data moves. */
export type OnProgress = (progress: {
  readonly rows: number;
  readonly bytes: number;
  /** The table or the object at hand. */
  readonly item?: string;
}) => void;

/**
 * Reading and filling a database with the values an app has, in memory that does not grow with its rows; a schema
 * that is too large to be held is refused. Whatever the format of `dump` is, `load` of the same connector reads it, and `summarize` reads by another way than
 * `dump`, so that what one loses the other shows.
 */
export type DatabaseContent = {
  /** Throws ProviderError `rejected` for content that it cannot give faithfully, naming what that is. */
  readonly dump: (
    context: ConnectorContext,
    values: SecretValues,
    onProgress?: OnProgress,
  ) => AsyncIterable<Uint8Array>;
  /**
   * Waits until nothing writes any more that had begun before its writes were stopped: a transaction that is open then still
   * commits, and a statement that runs still ends. Throws ProviderError `unavailable` when that takes too long.
   */
  readonly finishWrites: (context: ConnectorContext, values: SecretValues) => Promise<void>;
  /** Whether `load` would fill it: it holds no table, view or whatever else somebody can have made. */
  readonly isEmpty: (context: ConnectorContext, values: SecretValues) => Promise<boolean>;
  /**
   * Fills an empty database; throws ProviderError `conflict`, having written nothing, for one that is not, and
   * `rejected` for a dump that is cut short or altered. What was loaded before a failure stays: the caller takes it back,
   * empties or drops the database. With an `owner` the database keeps a note of each thing that is made, written with the
   * thing itself, for `takeBack`, until `settle`.
   */
  readonly load: (
    context: ConnectorContext,
    values: SecretValues,
    dump: AsyncIterable<Uint8Array>,
    onProgress?: OnProgress,
    owner?: string,
  ) => Promise<void>;
  /** Removes what is noted as the owner's and is still as it was made. Gives how much else there is, which stays. */
  readonly takeBack: (context: ConnectorContext, values: SecretValues, owner: string) => Promise<number>;
  /** Removes the notes, if they are this owner's: nothing in the database is theirs from then on. */
  readonly settle: (context: ConnectorContext, values: SecretValues, owner: string) => Promise<void>;
  readonly summarize: (
    context: ConnectorContext,
    values: SecretValues,
    onProgress?: OnProgress,
  ) => Promise<DatabaseSummary>;
  /** Removes everything, so that `load` may fill it. Only ever called on a database whose owner said so. */
  readonly empty: (context: ConnectorContext, values: SecretValues) => Promise<void>;
  /**
   * Makes `path` (which does not exist) a file that the database's own tools open, from a dump. What stands in the dump
   * is foreign text: it is run in a process that reaches nothing else.
   */
  readonly writeFile: (dump: AsyncIterable<Uint8Array>, path: string, signal?: AbortSignal) => Promise<void>;
  /** What such a file is called and sent as. */
  readonly file: { readonly extension: string; readonly mediaType: string };
  /** Whether the database keeps what it is told: writes, reads back on a new connection, deletes. */
  readonly probeDurability: (
    context: ConnectorContext,
    values: SecretValues,
    options: { readonly migrationsTable?: string },
  ) => Promise<DurabilityAnswer>;
};

export type DurabilityAnswer = {
  readonly steps: readonly {
    readonly name: "write" | "read_back" | "delete" | "on_disk" | "migrations_table";
    readonly ok: boolean;
    readonly message: string;
  }[];
};

/** What the org may do to a database it lends, beside making and dropping it. */
export type DatabaseControl = {
  /** Lets nobody write, or everybody who may; reading goes on. Read back. */
  readonly setWritable: (
    context: ConnectorContext,
    org: OrgCredential,
    lease: PlannedLease,
    writable: boolean,
  ) => Promise<void>;
  /** Rows read and written since a moment, without running anything on the database. */
  readonly usage: (
    context: ConnectorContext,
    org: OrgCredential,
    lease: PlannedLease,
    since: number,
  ) => Promise<{ readonly rows: number }>;
};

export type StoredObject = {
  /** Relative to where the values lead: their prefix is not part of it. */
  readonly key: string;
  readonly bytes: number;
};

export type StorageEnd = { readonly context: ConnectorContext; readonly values: SecretValues };

/** Reading and filling object storage with the values an app has. */
export type StorageContent = {
  readonly list: (context: ConnectorContext, values: SecretValues) => AsyncIterable<StoredObject>;
  /**
   * Copies one object with its metadata, in parts when it is large, and proves what arrived by its hash. The store itself
   * sees to it that nothing is replaced but the version `over`, and without one nothing at all: `undefined`, and nothing
   * written, when something else is there.
   */
  readonly copy: (
    from: StorageEnd,
    to: StorageEnd,
    object: StoredObject,
    onBytes?: (bytes: number) => void,
    over?: string,
  ) => Promise<{ readonly bytes: number; readonly sha256: string } | undefined>;
  /** Reads one object whole; `undefined` when there is none. */
  readonly hash: (
    context: ConnectorContext,
    values: SecretValues,
    key: string,
  ) => Promise<HashedVersion | undefined>;
};

/** What an object holds, and the name that its store has for this version of it. */
export type HashedVersion = { readonly bytes: number; readonly sha256: string; readonly version: string };
