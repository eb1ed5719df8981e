export { type OrgKeyDeps, openActiveOrgKey, openOrgKeyOfLease } from "./open-org-key.ts";
export { type PutOrgKeyDeps, putOrgKey } from "./put-org-key.ts";
