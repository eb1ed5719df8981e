import type * as z from "zod";
import type { DatabaseContent, DatabaseControl, ListedResource, StorageContent } from "./data-movement.ts";
import type { ConnectorSpec } from "./field.ts";
import type { SecretValues } from "./secret.ts";
import type { ValidationResult } from "./validation.ts";

/** What a connector may use of the outside world. Nothing else: no globals, no environment. */
export type ConnectorContext = {
  readonly fetch: typeof globalThis.fetch;
  /** Replaces the provider's own API address; this is how a stand-in plugs in. */
  readonly baseUrl?: string;
  /** Ends every call made under it. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
};

/** Names and ids of what a lease owns at the provider. Never a secret: stored and audited in the clear. */
export type ResourceHandle = Readonly<Record<string, string>>;

/** The org's master credential, opened for one call. */
export type OrgCredential = {
  readonly version: number;
  readonly fields: SecretValues;
  /** What {@link Connector.prepareOrgKey} learned when the key was put. Never a secret. */
  readonly facts: Readonly<Record<string, string>>;
};

/** What is known before the first network call: enough to name what will be made. */
export type LeaseRequest = {
  readonly leaseId: string;
  readonly buildId: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** The connector's own options from the request, already parsed by its `options` schema. */
  readonly options: unknown;
};

export type PlannedLease = LeaseRequest & { readonly handle: ResourceHandle };

/** Gives and takes back the credential of one lease. Every call may be repeated after a crash. */
export type Issuer = {
  /** Pure: names what `issue` will make. Saved before the first network call. */
  readonly plan: (request: LeaseRequest) => ResourceHandle;
  /** Makes or adopts what `plan` named and gives the variables. */
  readonly issue: (
    context: ConnectorContext,
    org: OrgCredential,
    lease: PlannedLease,
  ) => Promise<SecretValues>;
  /** New values for the same resource, valid until `lease.expiresAt`. Absent: the values do not expire. */
  readonly renew?: (
    context: ConnectorContext,
    org: OrgCredential,
    lease: PlannedLease,
  ) => Promise<SecretValues>;
  /** Whether values issued with these options of the build request may end before the lease. Absent: they never do. */
  readonly livesShorter?: (options: unknown) => boolean;
  /**
   * Ends every credential of this lease and gives new ones for the same resource, which keeps its content; the
   * end is read back. Absent: the credential is shared, or cannot be ended alone.
   */
  readonly rotate?: (
    context: ConnectorContext,
    org: OrgCredential,
    lease: PlannedLease,
  ) => Promise<SecretValues>;
  /** What of ours the provider holds. Absent: a lease owns nothing there that could be left over. */
  readonly list?: (context: ConnectorContext, org: OrgCredential) => AsyncIterable<ListedResource>;
  /** Ends everything the handle names. "Already gone" is success; the end is read back. */
  readonly revoke: (context: ConnectorContext, org: OrgCredential, lease: PlannedLease) => Promise<void>;
  /** Issued values may work after `revoke` until they expire, so it is run once more then. */
  readonly outlivesRevoke?: boolean;
};

/** Where a database answers. Never a secret. */
export type DatabaseLocation = Readonly<Record<string, string>>;

/** A database per lease, in the steps every database provider has. */
export type DatabaseDriver = {
  readonly plan: (request: LeaseRequest) => ResourceHandle;
  /** Creates the database, or adopts it when it exists under the planned name. */
  readonly create: (
    context: ConnectorContext,
    org: OrgCredential,
    lease: PlannedLease,
  ) => Promise<DatabaseLocation>;
  /** Mints a credential for this database alone that ends with the lease. */
  readonly access: (
    context: ConnectorContext,
    org: OrgCredential,
    lease: PlannedLease,
    location: DatabaseLocation,
  ) => Promise<SecretValues>;
  /** One probe with the issued values: does the database serve them now? */
  readonly ready: (context: ConnectorContext, values: SecretValues) => Promise<boolean>;
  /** Where an existing database answers. Throws `not_found` when it is gone. */
  readonly locate: (
    context: ConnectorContext,
    org: OrgCredential,
    lease: PlannedLease,
  ) => Promise<DatabaseLocation>;
  /** Cuts all access, deletes, and reads back that it is gone. */
  readonly drop: (context: ConnectorContext, org: OrgCredential, lease: PlannedLease) => Promise<void>;
  /** Ends every credential of the database and mints one anew. Its content stays. */
  readonly rotate?: Issuer["rotate"] & {};
  readonly list?: Issuer["list"] & {};
  readonly control?: DatabaseControl;
  readonly content?: DatabaseContent;
};

/** What a provider documents of how much it may be asked with the org's key. */
export type CallBudget = {
  /** Calls in any span of `windowSeconds`, those of all brokers on a store together. */
  readonly calls: number;
  readonly windowSeconds: number;
  /** Only calls whose path starts with it count, and only they are held back. Absent: all do. */
  readonly pathPrefix?: string;
};

/** All that Keyloan knows of one provider. Exactly one of `issuer` and `database` is given. */
export type Connector = {
  readonly spec: ConnectorSpec;
  /** The shape of the connector's own part of a build request; absent when there is none. */
  readonly options?: z.ZodType;
  /**
   * Does the org's master credential work, and may it do what is needed? Absent when there are no org fields.
   * `invalid` with `rejected` says that the provider refuses the credential of that field, and with a required one
   * every optional one beside it: this is how a key is proven dead.
   */
  readonly validateOrgKey?: (context: ConnectorContext, fields: SecretValues) => Promise<ValidationResult>;
  /** Run once when an org key is put: makes or finds what all builds share. Repeatable. */
  readonly prepareOrgKey?: (
    context: ConnectorContext,
    fields: SecretValues,
  ) => Promise<Readonly<Record<string, string>>>;
  /**
   * Ends a retired org key at the provider itself: what of it the key in its place does not share. Only where
   * the provider tells which credential that is. Absent: a person ends it.
   * @param kept the fields of the key in its place, none when there is none
   */
  readonly endOrgKey?: (context: ConnectorContext, fields: SecretValues, kept: SecretValues) => Promise<void>;
  /** Do these environment values of a user or a lease work? */
  readonly validate: (context: ConnectorContext, values: SecretValues) => Promise<ValidationResult>;
  readonly issuer?: Issuer;
  readonly database?: DatabaseDriver;
  /** Absent: none is documented; a provider that answers 429 is left alone as long as it asks for. */
  readonly callBudget?: CallBudget;
  /** Absent: its variables lead to no stored objects. */
  readonly storage?: StorageContent;
};

/** The broker's variable that replaces the address of a provider's API: how a stand-in or a private gateway plugs in. */
export function providerUrlVariable(connectorId: string): string {
  return `KEYLOAN_${connectorId.toUpperCase().replaceAll("-", "_")}_URL`;
}
