import type {
  ArchiveState,
  BuildState,
  JobState,
  LeaseState,
  OrgKeyState,
  SessionOpener,
  StartOverState,
  TokenKind,
  TokenPermission,
  TransferState,
} from "@keyloan/contract";
import { sql } from "drizzle-orm";
import {
  index,
  primaryKey,
  integer as rawInteger,
  text as rawText,
  sqliteTable,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import { boolean, integer, json, millis, provenJson, text } from "./columns.ts";
import {
  adminRevert,
  anything,
  leaseError,
  listOfText,
  recordOfText,
  type StoredEnding,
  type StoredKeyCheck,
  type StoredLeaseError,
  type StoredProgress,
  type StoredRequiredAction,
  storedCheck,
  summary,
  unreadableCheck,
  unreadableError,
  usage,
} from "./stored.ts";

// Ids are text, times integer milliseconds, structures JSON text: the same columns exist in PostgreSQL. The column
// `mac` of a row proves, under the org's data key, the columns that proven-tables.ts lists.

export const organizations = sqliteTable("organizations", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  createdAt: millis("created_at").notNull(),
  /** Sealed: how many audit heads were signed, and which were given up. Absent only before the first counted head. */
  auditState: text("audit_state"),
});

/** One key per owner (a build, or the org); deleting the row shreds everything sealed under it. */
export const dataKeys = sqliteTable(
  "data_keys",
  {
    id: text("id").primaryKey(),
    ownerId: text("owner_id").notNull(),
    /** Which root key wraps it. */
    kid: text("kid").notNull(),
    wrapped: text("wrapped").notNull(),
    createdAt: millis("created_at").notNull(),
  },
  (table) => [uniqueIndex("data_keys_owner").on(table.ownerId), index("data_keys_kid").on(table.kid)],
);

export const orgKeys = sqliteTable(
  "org_keys",
  {
    id: text("id").primaryKey(),
    organizationId: text("organization_id").notNull(),
    connectorId: text("connector_id").notNull(),
    version: integer("version").notNull(),
    state: text("state").$type<OrgKeyState>().notNull(),
    /** All fields in one envelope under the org's data key. */
    fields: text("fields").notNull(),
    fingerprint: text("fingerprint").notNull(),
    facts: json("facts", recordOfText, {}).notNull(),
    check: json("last_check", storedCheck, unreadableCheck).notNull(),
    putAt: millis("put_at").notNull(),
    checkedAt: millis("checked_at").notNull(),
    /** When the provider was seen to refuse the key, after it was replaced. */
    provenDeadAt: millis("proven_dead_at"),
    /** When it was last reported that the key is old, or that it still works though it was replaced. */
    remindedAt: millis("reminded_at"),
    mac: text("mac"),
  },
  (table) => [uniqueIndex("org_keys_version").on(table.organizationId, table.connectorId, table.version)],
);

export const builds = sqliteTable(
  "builds",
  {
    id: text("id").primaryKey(),
    organizationId: text("organization_id").notNull(),
    name: text("name").notNull(),
    state: text("state").$type<BuildState>().notNull(),
    profile: text("profile").notNull(),
    createdBy: text("created_by").notNull(),
    createdAt: millis("created_at").notNull(),
    expiresAt: millis("expires_at").notNull(),
    renewableUntil: millis("renewable_until").notNull(),
    closedAt: millis("closed_at"),
    /** Grows with every change on the settings page; a change based on an older version is refused. */
    settingsVersion: integer("settings_version").notNull().default(0),
    /** Until when a swap can be taken back; absent while nothing is swapped. */
    revertibleUntil: millis("revertible_until"),
    finishedAt: millis("finished_at"),
    /** When the person first downloaded a complete env file with their own values. */
    downloadedAt: millis("downloaded_at"),
    /** When everything lent ended because the person had all keys of their own; nobody else reads values from then on. */
    lendingEndedAt: millis("lending_ended_at"),
    /** When and why the admin let the app use lent keys again; the page shows it. */
    adminRevert: json("admin_revert", adminRevert, null),
  },
  (table) => [
    index("builds_created").on(table.createdAt, table.id),
    index("builds_expiry").on(table.state, table.expiresAt),
  ],
);

export const leases = sqliteTable(
  "leases",
  {
    id: text("id").primaryKey(),
    buildId: text("build_id").notNull(),
    connectorId: text("connector_id").notNull(),
    state: text("state").$type<LeaseState>().notNull(),
    grade: text("grade").notNull(),
    /** Names at the provider, saved before the first call; never a secret. */
    handle: json("handle", recordOfText, {}).notNull(),
    options: json("options", anything, "unreadable"),
    /** All values in one envelope under the build's data key. */
    env: text("env"),
    orgKeyVersion: integer("org_key_version"),
    issuedAt: millis("issued_at"),
    expiresAt: millis("expires_at").notNull(),
    attempts: integer("attempts").notNull(),
    lastError: json("last_error", leaseError, unreadableError),
    createdAt: millis("created_at").notNull(),
    /** How much its resource was used, read from the provider without waking it; absent before the first check. */
    usage: json("usage", usage, null),
    mac: text("mac"),
  },
  (table) => [
    index("leases_build").on(table.buildId, table.connectorId),
    index("leases_connector").on(table.connectorId, table.state),
    index("leases_created").on(table.createdAt, table.id),
    index("leases_state").on(table.state, table.createdAt, table.id),
  ],
);

/** Which source a build uses for a connector. */
export const bindings = sqliteTable(
  "bindings",
  {
    buildId: text("build_id").notNull(),
    connectorId: text("connector_id").notNull(),
    source: text("source").$type<"org" | "user">().notNull(),
    leaseId: text("lease_id"),
    userKeyId: text("user_key_id"),
    swappedAt: millis("swapped_at"),
    /** Whether the build's env may hold the user's values. Absent if nobody has answered yet, which counts as yes. */
    preview: boolean("preview"),
    /** How often an answer with the build's env held the user's values; `userReadAt` is when it last did. */
    userReads: integer("user_reads").notNull().default(0),
    userReadAt: millis("user_read_at"),
    mac: text("mac"),
  },
  (table) => [primaryKey({ columns: [table.buildId, table.connectorId] })],
);

/** A user's own credential for a connector of a build. */
export const userKeys = sqliteTable(
  "user_keys",
  {
    id: text("id").primaryKey(),
    buildId: text("build_id").notNull(),
    connectorId: text("connector_id").notNull(),
    /** All values in one envelope under the build's data key. */
    env: text("env").notNull(),
    /** Masked values by variable name, which a page may show again. */
    previews: provenJson<Readonly<Record<string, string>>>("previews").notNull(),
    fingerprint: text("fingerprint").notNull(),
    check: provenJson<StoredKeyCheck>("last_check").notNull(),
    savedAt: millis("saved_at").notNull(),
    checkedAt: millis("checked_at").notNull(),
    /** The person it belongs to; absent if it was saved before persons were known. */
    personId: text("person_id"),
    mac: text("mac"),
  },
  (table) => [index("user_keys_build").on(table.buildId, table.connectorId)],
);

/** A link to the settings page; only the hash of its code is kept. */
export const handoffs = sqliteTable(
  "handoffs",
  {
    id: text("id").primaryKey(),
    buildId: text("build_id").notNull(),
    hash: text("hash").notNull(),
    /** The user of the platform whom the link is for, as their session names them. */
    userRef: text("user_ref"),
    createdBy: text("created_by").notNull(),
    createdAt: millis("created_at").notNull(),
    expiresAt: millis("expires_at").notNull(),
    usedAt: millis("used_at"),
    /** When someone last tried to open it a second time. */
    refusedAt: millis("refused_at"),
    mac: text("mac"),
  },
  (table) => [uniqueIndex("handoffs_hash").on(table.hash), index("handoffs_build").on(table.buildId)],
);

/** One visit of the settings page, bound to one build. */
export const sessions = sqliteTable(
  "sessions",
  {
    id: text("id").primaryKey(),
    buildId: text("build_id").notNull(),
    hash: text("hash").notNull(),
    sealingKey: text("sealing_key").notNull(),
    /** The private half, sealed under the build's data key. */
    openingKey: text("opening_key").notNull(),
    createdAt: millis("created_at").notNull(),
    lastUsedAt: millis("last_used_at").notNull(),
    expiresAt: millis("expires_at").notNull(),
    endedAt: millis("ended_at"),
    openedBy: text("opened_by").$type<SessionOpener>().notNull().default("link"),
    /** Who signed in to open it, such as `clerk:user_…`; absent for a link. */
    identity: text("identity"),
    /** The person it has proven to be. */
    personId: text("person_id"),
    /** Where it was opened from; shown to the person when somebody starts over. */
    address: text("address"),
    mac: text("mac"),
  },
  (table) => [uniqueIndex("sessions_hash").on(table.hash), index("sessions_build").on(table.buildId)],
);

/** People who saved their own keys for a build; at most one person per build has not ended. */
export const persons = sqliteTable(
  "persons",
  {
    id: text("id").primaryKey(),
    buildId: text("build_id").notNull(),
    /** Who was signed in when the first keys were saved; absent when a link had opened the session. */
    identity: text("identity"),
    /** SHA-256 of the recovery code, hex. */
    recoveryHash: text("recovery_hash").notNull(),
    /** What tokens may do with the person's values; by default nothing. */
    allows: provenJson<readonly TokenPermission[]>("allows").notNull(),
    createdAt: millis("created_at").notNull(),
    endedAt: millis("ended_at"),
    /** Set if somebody else started over. */
    ending: provenJson<StoredEnding>("ending"),
    mac: text("mac"),
  },
  (table) => [
    uniqueIndex("persons_build").on(table.buildId).where(sql`ended_at is null`),
    uniqueIndex("persons_recovery").on(table.recoveryHash),
    index("persons_of_build").on(table.buildId),
  ],
);

/** Browsers that have proven to be a person, by the hash of their cookie. */
export const personBrowsers = sqliteTable(
  "person_browsers",
  {
    /** SHA-256 of the cookie, hex. A browser has one cookie for all builds. */
    hash: text("hash").notNull(),
    personId: text("person_id").notNull(),
    createdAt: millis("created_at").notNull(),
    /** Set once a newer cookie has replaced this one: until then both prove the person. */
    endsAt: millis("ends_at"),
    mac: text("mac"),
  },
  (table) => [
    primaryKey({ columns: [table.hash, table.personId] }),
    index("person_browsers_person").on(table.personId),
  ],
);

/** Requests to become the person of a build, by somebody who lost every proof; at most one per build waits. */
export const startOvers = sqliteTable(
  "start_overs",
  {
    id: text("id").primaryKey(),
    buildId: text("build_id").notNull(),
    sessionId: text("session_id").notNull(),
    address: text("address"),
    state: text("state").$type<StartOverState>().notNull(),
    createdAt: millis("created_at").notNull(),
    /** Until when the present person can refuse. */
    dueAt: millis("due_at").notNull(),
    endedAt: millis("ended_at"),
    mac: text("mac"),
  },
  (table) => [
    uniqueIndex("start_overs_waiting").on(table.buildId).where(sql`state = 'waiting'`),
    index("start_overs_build").on(table.buildId, table.createdAt),
    index("start_overs_due").on(table.state, table.dueAt),
  ],
);

/** Keyed hashes of every secret that was lent or put by the org, to recognize it without keeping it. */
export const fingerprints = sqliteTable("fingerprints", {
  fingerprint: text("fingerprint").primaryKey(),
  /** The lease or the org key that it was first seen in. */
  entityId: text("entity_id").notNull(),
  variable: text("variable").notNull(),
  createdAt: millis("created_at").notNull(),
});

export const tokens = sqliteTable(
  "tokens",
  {
    id: text("id").primaryKey(),
    kind: text("kind").$type<TokenKind>().notNull(),
    /** SHA-256 of the token, hex. */
    hash: text("hash").notNull(),
    name: text("name").notNull(),
    scopes: json("scopes", listOfText, []).notNull(),
    buildId: text("build_id"),
    singleUse: boolean("single_use").notNull(),
    createdAt: millis("created_at").notNull(),
    expiresAt: millis("expires_at"),
    usedAt: millis("used_at"),
    revokedAt: millis("revoked_at"),
    mac: text("mac"),
  },
  (table) => [
    uniqueIndex("tokens_hash").on(table.hash),
    index("tokens_build").on(table.buildId),
    index("tokens_created").on(table.createdAt, table.id),
  ],
);

export const idempotencyKeys = sqliteTable(
  "idempotency_keys",
  {
    /** The caller: the same key from two callers counts as two keys. */
    principal: text("principal").notNull(),
    key: text("key").notNull(),
    /** SHA-256 of the parsed request. */
    requestHash: text("request_hash").notNull(),
    buildId: text("build_id").notNull(),
    createdAt: millis("created_at").notNull(),
    mac: text("mac"),
  },
  (table) => [
    primaryKey({ columns: [table.principal, table.key] }),
    index("idempotency_keys_created").on(table.createdAt),
  ],
);

export const jobs = sqliteTable(
  "jobs",
  {
    id: text("id").primaryKey(),
    kind: text("kind").notNull(),
    entityId: text("entity_id").notNull(),
    state: text("state").$type<JobState>().notNull(),
    runAfter: millis("run_after").notNull(),
    attempts: integer("attempts").notNull(),
    lockedBy: text("locked_by"),
    lockedUntil: millis("locked_until"),
    /** Grows with every claim; a result of an older claim is refused. */
    fence: integer("fence").notNull(),
    lastError: text("last_error"),
    createdAt: millis("created_at").notNull(),
    /** The build it belongs to, if there is one. */
    buildId: text("build_id"),
    /** The provider it calls; the job waits while that provider asks for a pause. */
    connectorId: text("connector_id"),
    /** What the job needs to know besides its entity; secrets in it are envelopes. */
    payload: provenJson<Readonly<Record<string, unknown>>>("payload"),
    requiredAction: provenJson<StoredRequiredAction>("required_action"),
    endedAt: millis("ended_at"),
    mac: text("mac"),
  },
  (table) => [
    index("jobs_due").on(table.state, table.runAfter),
    // For claims by connector: they skip the jobs of a busy connector without reading them.
    index("jobs_due_of_connector").on(table.connectorId, table.state, table.runAfter),
    index("jobs_entity").on(table.entityId),
    index("jobs_build").on(table.buildId),
    index("jobs_created").on(table.createdAt, table.id),
  ],
);

/** Work that only one of all brokers does when it is due. */
export const schedules = sqliteTable("schedules", {
  name: text("name").primaryKey(),
  dueAt: millis("due_at").notNull(),
});

/** How much all brokers together may still call a provider. */
export const providerLimits = sqliteTable("provider_limits", {
  connectorId: text("connector_id").primaryKey(),
  /** Until when the provider asked not to be called. */
  pausedUntil: millis("paused_until").notNull(),
  windowStart: millis("window_start").notNull(),
  /** Calls taken in this window. */
  used: integer("used").notNull(),
});

// The columns of the audit are cut in the query, and their values are checked by the code that reads them.
export const auditEvents = sqliteTable(
  "audit_events",
  {
    sequence: rawInteger("sequence").primaryKey({ autoIncrement: true }),
    id: rawText("id").notNull(),
    at: rawInteger("at").notNull(),
    actor: rawText("actor").notNull(),
    action: rawText("action").notNull(),
    entity: rawText("entity").notNull(),
    details: rawText("details").notNull(),
    requestId: rawText("request_id"),
    /** Hash of the row before, hex; 32 zero bytes for the first row. */
    previousHash: rawText("previous_hash"),
    /** SHA-256 over this row and `previousHash`, hex. Absent only in rows older than the chain. */
    hash: rawText("hash"),
    /** MAC of `hash`, under the org's data key. Absent in rows from before there were MACs. */
    mac: rawText("mac"),
  },
  (table) => [index("audit_events_entity").on(table.entity, table.sequence)],
);

/** Signed ends of the audit chain, made from time to time: rows before one cannot be changed unnoticed. */
export const auditHeads = sqliteTable("audit_heads", {
  sequence: rawInteger("sequence").primaryKey(),
  hash: rawText("hash").notNull(),
  at: rawInteger("at").notNull(),
  /** Compact JWS (EdDSA) over sequence, hash and time. */
  signed: rawText("signed").notNull(),
});

/** Key pairs the broker signs with; the private half is sealed under the org's data key. */
export const signingKeys = sqliteTable("signing_keys", {
  id: text("id").primaryKey(),
  organizationId: text("organization_id").notNull(),
  /** JWK, JSON. */
  publicKey: text("public_key").notNull(),
  privateKey: text("private_key").notNull(),
  createdAt: millis("created_at").notNull(),
  /** MAC of all other columns, under the org's data key; a row without it is refused. */
  mac: text("mac"),
});

/** The archived content of a database. */
export const archives = sqliteTable(
  "archives",
  {
    id: text("id").primaryKey(),
    buildId: text("build_id").notNull(),
    leaseId: text("lease_id").notNull(),
    connectorId: text("connector_id").notNull(),
    state: text("state").$type<ArchiveState>().notNull(),
    /** Its name in the archive store. */
    location: text("location").notNull(),
    /** Size of the sealed, compressed file; `sha256` is of the same file. */
    bytes: integer("bytes"),
    sha256: text("sha256"),
    summary: json("summary", summary, null),
    /** The scratch database that the archive is verified in; saved before that database is created. */
    scratchHandle: json("scratch_handle", recordOfText, {}),
    createdAt: millis("created_at").notNull(),
    verifiedAt: millis("verified_at"),
    droppedAt: millis("dropped_at"),
    restoredAt: millis("restored_at"),
    /** The lease that the content was restored to. */
    restoredLeaseId: text("restored_lease_id"),
    lastError: text("last_error"),
    mac: text("mac"),
  },
  (table) => [index("archives_build").on(table.buildId), index("archives_lease").on(table.leaseId)],
);

/** One transfer of a user's data from a lent resource to the user's own. */
export const transfers = sqliteTable(
  "transfers",
  {
    id: text("id").primaryKey(),
    buildId: text("build_id").notNull(),
    connectorId: text("connector_id").notNull(),
    kind: text("kind").$type<"database" | "storage">().notNull(),
    state: text("state").$type<TransferState>().notNull(),
    leaseId: text("lease_id").notNull(),
    userKeyId: text("user_key_id").notNull(),
    /** The user said that what is in the target may be overwritten. */
    overwrite: boolean("overwrite").notNull(),
    progress: provenJson<StoredProgress>("progress"),
    /** Set while the source accepts no writes. */
    frozenAt: millis("frozen_at"),
    /** Compact JWS (EdDSA) that states what was moved. */
    receipt: text("receipt"),
    startedBy: text("started_by").notNull(),
    createdAt: millis("created_at").notNull(),
    /** When the user last asked to start or continue it. */
    askedAt: millis("asked_at").notNull().default(0),
    endedAt: millis("ended_at"),
    lastError: provenJson<StoredLeaseError>("last_error"),
    mac: text("mac"),
  },
  (table) => [index("transfers_build").on(table.buildId, table.connectorId)],
);

/** Objects in a user's storage that we wrote and nobody else relies on: all that a transfer may replace by itself. */
export const writtenObjects = sqliteTable(
  "written_objects",
  {
    userKeyId: text("user_key_id").notNull(),
    /** SHA-256 of the object's name. */
    nameHash: text("name_hash").notNull(),
    buildId: text("build_id").notNull(),
    /** SHA-256 of the bytes that were written last. */
    sha256: text("sha256").notNull(),
    mac: text("mac"),
  },
  (table) => [
    primaryKey({ columns: [table.userKeyId, table.nameHash] }),
    index("written_objects_build").on(table.buildId),
  ],
);
