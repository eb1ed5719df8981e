export { type OrgKeyDeps, openActiveOrgKey, openOrgKeysOfLease } from "./open-org-key.ts";
export { type PutOrgKeyDeps, putOrgKey } from "./put-org-key.ts";
