export type {
  AuditEventView,
  AuditList,
  BuildList,
  BuildView,
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
  LeaseErrorView,
  LeaseView,
  OrgKeyList,
  OrgKeyView,
  TokenList,
  TokenView,
} from "@keyloan/contract";
export type { AuditQuery, RewrapResult } from "./administration.ts";
export type { BuildListQuery, CreateBuildOptions, EnvOptions } from "./builds.ts";
export type { ClientOptions } from "./call.ts";
export { type Client, createClient } from "./client.ts";
export { type ClientErrorCode, KeyloanError, type KeyloanErrorCode } from "./errors.ts";
export type { PageQuery } from "./pages.ts";
export type { TransfersApi } from "./transfers.ts";
export type { Transport, TransportRequest, TransportResponse } from "./transport.ts";
export { version } from "./version.ts";
