// Where each call of the API is. No schemas here: the settings page takes its addresses from this file.

export const buildRoutes = {
  create: "POST /v1/builds",
  list: "GET /v1/builds",
  show: "GET /v1/builds/{id}",
  close: "DELETE /v1/builds/{id}",
  token: "POST /v1/builds/{id}/tokens",
  renew: "POST /v1/builds/{id}/renew",
  readEnv: "GET /v1/builds/{id}/env",
} as const;

export const visitRoutes = {
  sessions: "GET /v1/builds/{id}/sessions",
  endSession: "DELETE /v1/builds/{id}/sessions/{sessionId}",
  tokens: "GET /v1/builds/{id}/tokens",
  endToken: "DELETE /v1/builds/{id}/tokens/{tokenId}",
} as const;

export const leaseRoutes = {
  list: "GET /v1/leases",
  show: "GET /v1/leases/{id}",
  revoke: "DELETE /v1/leases/{id}",
  revokeMany: "POST /v1/leases/revoke",
} as const;

export const rotationRoutes = {
  start: "POST /v1/leases/{id}/rotation",
  show: "GET /v1/leases/{id}/rotation",
} as const;

export const jobRoutes = {
  list: "GET /v1/jobs",
  show: "GET /v1/jobs/{id}",
  retry: "POST /v1/jobs/{id}/retry",
  cancel: "POST /v1/jobs/{id}/cancel",
  supply: "POST /v1/jobs/{id}/values",
} as const;

export const databaseRoutes = {
  list: "GET /v1/builds/{id}/databases",
  archive: "POST /v1/builds/{id}/databases/{connector}/archive",
  restore: "POST /v1/builds/{id}/databases/{connector}/restore",
  download: "GET /v1/builds/{id}/databases/{connector}/download",
  ownDownload: "GET /v1/settings/databases/{connector}/download",
} as const;

export const transferRoutes = {
  show: "GET /v1/builds/{id}/transfers",
  start: "POST /v1/builds/{id}/transfers",
  cancel: "POST /v1/builds/{id}/transfers/cancel",
  resume: "POST /v1/builds/{id}/transfers/resume",
  receipts: "GET /v1/builds/{id}/transfers/receipts",
} as const;

/** The same calls from the settings page. */
export const pageTransferRoutes = {
  show: "GET /v1/settings/transfer",
  start: "POST /v1/settings/transfer",
  cancel: "POST /v1/settings/transfer/cancel",
  resume: "POST /v1/settings/transfer/resume",
  receipts: "GET /v1/settings/transfer/receipt",
} as const;

export const handoffRoutes = {
  handoff: "POST /v1/builds/{id}/handoff",
  open: "POST /v1/session",
  leave: "DELETE /v1/session",
} as const;

export const personRoutes = {
  known: "GET /v1/person",
  recovery: "POST /v1/settings/recovery",
  allow: "PUT /v1/settings/tokens-may",
  ask: "POST /v1/settings/start-over",
  refuse: "DELETE /v1/settings/start-over",
} as const;

export const settingsRoutes = {
  show: "GET /v1/settings",
  validate: "POST /v1/settings/keys/{connector}/validate",
  save: "PUT /v1/settings/keys/{connector}",
  recheck: "POST /v1/settings/keys/{connector}/recheck",
  remove: "DELETE /v1/settings/keys/{connector}",
  swap: "POST /v1/settings/swap",
  revert: "POST /v1/settings/revert",
  preview: "POST /v1/settings/preview",
  envFile: "GET /v1/settings/env-file",
  finish: "POST /v1/settings/finish",
} as const;

export const orgKeyRoutes = {
  list: "GET /v1/org-keys",
  show: "GET /v1/org-keys/{connector}",
  put: "PUT /v1/org-keys/{connector}",
  remove: "DELETE /v1/org-keys/{connector}",
  rewrap: "POST /v1/root-key/rewrap",
  rootKey: "GET /v1/root-key",
  retire: "POST /v1/org-keys/{connector}/retire",
} as const;

export const tokenRoutes = {
  create: "POST /v1/tokens",
  list: "GET /v1/tokens",
  revoke: "DELETE /v1/tokens/{id}",
} as const;

export const auditRoutes = {
  list: "GET /v1/audit",
  head: "GET /v1/audit/head",
  verify: "POST /v1/audit/verify",
  accept: "POST /v1/audit/accept-head",
  download: "GET /v1/audit/export",
  matches: "POST /v1/audit/matches",
} as const;

export const signingKeyRoutes = {
  list: "GET /v1/signing-keys",
} as const;

export const reconcileRoutes = {
  run: "POST /v1/reconcile",
  end: "POST /v1/reconcile/end-unknown",
} as const;

export const rollbackRoutes = {
  rehearse: "POST /v1/rollback/rehearsals",
  revert: "POST /v1/builds/{id}/revert",
} as const;

export const catalogRoutes = {
  catalog: "GET /v1/catalog",
} as const;

export const healthRoutes = {
  health: "GET /health",
  live: "GET /health/live",
  ready: "GET /health/ready",
  metrics: "GET /metrics",
  warnings: "GET /v1/warnings",
} as const;
