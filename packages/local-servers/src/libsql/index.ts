export {
  type LibsqlAdmin,
  LibsqlAdminError,
  type NamespaceSettings,
  type NamespaceStats,
} from "./admin.ts";
export { findSqld } from "./find-sqld.ts";
export { gatewayPorts, type LibsqlGateway, type OpenDatabase } from "./gateway.ts";
export { checkNamespaceName } from "./namespace-name.ts";
export { type LibsqlServer, type LibsqlServerOptions, startLibsqlServer } from "./server.ts";
export {
  createNamespaceKey,
  createNamespaceTokenSigner,
  type NamespaceKey,
  type NamespaceTokenOptions,
  type SignNamespaceToken,
} from "./tokens.ts";
