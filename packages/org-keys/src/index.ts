export { type CredentialProbe, credentialProbes } from "./credential-probes.ts";
export {
  type OrgKeyDeps,
  openActiveOrgKey,
  openOrgKeysOfLease,
  openOrgKeyVersion,
  reachOf,
} from "./open-org-key.ts";
export { type PutOrgKeyDeps, putOrgKey } from "./put-org-key.ts";
