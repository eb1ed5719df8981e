export { BlockedAddressError } from "./address/blocked-address-error.ts";
export {
  type GuardedAddress,
  type GuardOptions,
  guardAddress,
  type Resolve,
} from "./address/guard-address.ts";
export { createGuardedFetch, type GuardedFetchOptions, guardedFetchLimits } from "./address/guarded-fetch.ts";
export {
  type AddressRefusal,
  type AddressRule,
  type AddressRules,
  type ReadAddress,
  readAddress,
} from "./address/read-address.ts";
export { checkShape } from "./check-shape.ts";
export { validateKeys, validationTimeoutMsDefault } from "./validate-keys.ts";
