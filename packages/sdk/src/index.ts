export type {
  AcceptedHead,
  AuditEventView,
  AuditHead,
  AuditList,
  AuditMatch,
  AuditMatches,
  AuditVerification,
  BuildList,
  BuildView,
  CancelledJob,
  Catalog,
  CatalogEntry,
  ConnectorRequest,
  CreateApiTokenBody,
  CreateBuildBody,
  CreateBuildTokenBody,
  EnvFormat,
  EnvProfile,
  Health,
  IssuedToken,
  JobList,
  JobView,
  LeaseErrorView,
  LeaseList,
  LeaseView,
  ListedLease,
  OrgKeyList,
  OrgKeyView,
  ReconcileReport,
  RevokedLeases,
  RewrapResult,
  RootKeyStatus,
  RotationView,
  TokenList,
  TokenView,
} from "@keyloan/contract";
export { version } from "@keyloan/contract/calls";
export type { AuditApi, AuditQuery } from "./audit.ts";
export type { BuildListQuery, CreateBuildOptions, EnvOptions } from "./builds.ts";
export type { ClientOptions } from "./call.ts";
export { type Client, createClient } from "./client.ts";
export { type ClientErrorCode, KeyloanError, type KeyloanErrorCode } from "./errors.ts";
export type { JobQuery, JobsApi } from "./jobs.ts";
export type { LeaseListQuery } from "./leases.ts";
export type { PageQuery } from "./pages.ts";
export type { TransfersApi } from "./transfers.ts";
export type { Transport, TransportRequest, TransportResponse } from "./transport.ts";
export { type VerifiedReceipt, verifyReceipt } from "./verify-receipt.ts";
