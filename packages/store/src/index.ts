export type { ChainEnd } from "./audit-chain.ts";
export { type ChainCheck, type ChainProblem, createChainCheck } from "./audit-chain-check.ts";
export { type AuditSeal, isGenuine, isSealed, isWhole } from "./audit-seal.ts";
export { StoreError, type StoreErrorCode } from "./errors.ts";
export type { Scope } from "./group-writer.ts";
export { isOver } from "./is-over.ts";
export { openStore, type Store } from "./open-store.ts";
export type { RowMac } from "./row-seal.ts";
export type { ArchiveRow } from "./tables/archives.ts";
export type { MissingRows } from "./tables/audit-end.ts";
export type { AuditEventRow, NewAuditEvent } from "./tables/audit-events.ts";
export type { AuditHeadRow } from "./tables/audit-heads.ts";
export { detailsBytesMax } from "./tables/audit-rows.ts";
export type { BindingRow, EnvSourceRow } from "./tables/bindings.ts";
export { type BuildRow, closesAt, type TimeCursor } from "./tables/builds.ts";
export type { DataKeyRow } from "./tables/data-keys.ts";
export type { FingerprintRow } from "./tables/fingerprints.ts";
export type { HandoffRow } from "./tables/handoffs.ts";
export type { IdempotencyKeyRow } from "./tables/idempotency-keys.ts";
export type { Tables } from "./tables/index.ts";
export { type Claimed, endedWithProcess } from "./tables/job-claims.ts";
export type { ClaimedJob, JobRow } from "./tables/jobs.ts";
export type { LeaseRow } from "./tables/leases.ts";
export { erasedFields, type OrgKeyRow } from "./tables/org-keys.ts";
export type { OrganizationRow } from "./tables/organizations.ts";
export type { PersonRow } from "./tables/persons.ts";
export { provenColumns, provenLevel } from "./tables/proven-tables.ts";
export type { ProviderLimitRow } from "./tables/provider-limits.ts";
export type { SessionRow } from "./tables/sessions.ts";
export type { SigningKeyRow } from "./tables/signing-keys.ts";
export type { StartOverRow } from "./tables/start-overs.ts";
export type {
  StoredCheck,
  StoredEnding,
  StoredKeyCheck,
  StoredLeaseError,
  StoredProgress,
  StoredRequiredAction,
  StoredSummary,
  StoredUsage,
} from "./tables/stored.ts";
export type { TokenRow } from "./tables/tokens.ts";
export type { TransferRow } from "./tables/transfers.ts";
export type { UserKeyRow } from "./tables/user-keys.ts";
