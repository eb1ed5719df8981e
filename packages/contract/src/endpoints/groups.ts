// Every group of calls: what follows from all of them is made of this file.
export { auditEndpoints } from "./audit.ts";
export { buildEndpoints } from "./builds.ts";
export { catalogEndpoints } from "./catalog.ts";
export { databaseEndpoints } from "./databases.ts";
export { handoffEndpoints } from "./handoff.ts";
export { healthEndpoints } from "./health.ts";
export { jobEndpoints } from "./jobs.ts";
export { leaseEndpoints } from "./leases.ts";
export { orgKeyEndpoints } from "./org-keys.ts";
export { personEndpoints } from "./person.ts";
export { reconcileEndpoints } from "./reconcile.ts";
export { rollbackEndpoints } from "./rollback.ts";
export { rotationEndpoints } from "./rotation.ts";
export { settingsEndpoints } from "./settings.ts";
export { signingKeyEndpoints } from "./signing-keys.ts";
export { tokenEndpoints } from "./tokens.ts";
export { pageTransferEndpoints, transferEndpoints } from "./transfers.ts";
export { visitEndpoints } from "./visits.ts";
