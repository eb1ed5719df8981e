export { askAboutKey, toStoredCheck } from "./ask-about-key.ts";
export { askIfDead, type Death } from "./ask-if-dead.ts";
export { isInUse } from "./is-in-use.ts";
export {
  type OrgKeyDeps,
  openActiveOrgKey,
  openOrgKeysOfLease,
  openOrgKeyVersion,
  reachOf,
} from "./open-org-key.ts";
export { type PutOrgKeyDeps, putOrgKey } from "./put-org-key.ts";
